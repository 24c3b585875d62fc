#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The programs under trace: build/venv-clients with the Python SDKs and the same MLflow (its autolog is what parity is
# measured against), and with "node" as argument also build/node with the JavaScript SDKs.
#
#	tests/setup/clients.sh [python] [node] [agent] [sdks-python] [sdks-node]
#
# The parts sdks-* hold the clients of tests/matrix; where a tool chain is missing the part says so and is left out, and
# the rows of the matrix that need it are skipped.
set -eu
. "$(dirname -- "$0")/python.sh"

OPENAI_PYTHON=3.54.0
ANTHROPIC_PYTHON=2.12.0
OPENAI_NODE=6.49.0
ANTHROPIC_NODE=1.12.0

clients_python() {
	venv_make clients "mlflow==${MLFLOW_VERSION:-3.17.2}" "openai==$OPENAI_PYTHON" "anthropic==$ANTHROPIC_PYTHON" \
		httpx aiohttp requests pydantic brotli zstandard pyyaml websockets
}

# What the sample agent of `make run` needs, and no more: a second's work.
clients_agent() {
	venv_make agent "openai==$OPENAI_PYTHON"
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

# httpx with HTTP/2 and the codings, websockets and grpcio serve the fake provider as well.
sdks_python() {
	venv_make sdks "openai==$OPENAI_PYTHON" "anthropic==$ANTHROPIC_PYTHON" google-genai==3.4.0 boto3==1.44.5 \
		cohere==7.3.1 mistralai==3.7.0 groq==1.7.0 ollama==0.6.3 together==3.1.1 litellm==1.110.2 voyageai==0.5.0 \
		xai-sdk==1.21.0 "httpx[http2]==0.28.1" "httpx2[zstd]==2.16.2" h2==4.4.1 brotli==1.2.1 zstandard==0.25.0 websockets==17.4
}

have_tool() {
	command -v "$1" >/dev/null 2>&1 && return
	echo "no $1: the SDKs of $2 are left out" >&2
	return 1
}

sdks_node() {
	have_tool npm Node || return 0
	npm_make node-sdks "openai@$OPENAI_NODE" "@anthropic-ai/sdk@$ANTHROPIC_NODE" @google/genai@2.32.0 \
		@aws-sdk/client-bedrock-runtime@3.1164.0 cohere-ai@8.1.0 @mistralai/mistralai@2.7.0 ollama@0.6.4 groq-sdk@1.6.0 \
		ai@6.0.326 @ai-sdk/openai@3.0.141 zod@4.6.7
}

[ $# -gt 0 ] || set -- python node sdks-python sdks-node
for part in "$@"; do
	case "$part" in
	python | node | agent) "clients_$part" ;;
	sdks-python | sdks-node) "sdks_${part#sdks-}" ;;
	*) sed -n '6s/^#[[:space:]]*//p' "$0" >&2; exit 2 ;;
	esac
done
