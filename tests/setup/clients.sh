#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The programs under trace: build/venv-clients with the Python SDKs and the same MLflow (its autolog is what parity is
# measured against), and with "node" as argument also build/node with the JavaScript SDKs; "mcp": build/venv-mcp and
# build/node-mcp with the SDKs of MCP.
#
#	tests/setup/clients.sh [python] [node] [agent] [mcp]
set -eu
. "$(dirname -- "$0")/python.sh"

OPENAI_PYTHON=3.54.0
ANTHROPIC_PYTHON=2.12.0
GOOGLE_PYTHON=3.4.0
BOTO3_PYTHON=1.44.5
OPENAI_NODE=6.49.0
ANTHROPIC_NODE=1.12.0
MCP_PYTHON=2.3.0
MCP_NODE=1.32.2

clients_python() {
	venv_make clients "mlflow==${MLFLOW_VERSION:-3.17.2}" "openai==$OPENAI_PYTHON" "anthropic==$ANTHROPIC_PYTHON" \
		"google-genai==$GOOGLE_PYTHON" "boto3==$BOTO3_PYTHON" \
		httpx aiohttp requests pydantic brotli zstandard pyyaml websockets
}

# What the sample agent of `make run` needs, and no more: a second's work.
clients_agent() {
	venv_make agent "openai==$OPENAI_PYTHON"
}

# node_make NAME REQUIREMENT...
node_make() {
	dir=$BUILD/$1
	shift
	wanted="$*"
	[ "$(cat "$dir/.requirements" 2>/dev/null)" = "$wanted" ] && return
	echo "setting up $dir: $wanted"
	mkdir -p "$dir"
	echo '{"private": true, "type": "module"}' > "$dir/package.json"
	# shellcheck disable=SC2086
	(cd "$dir" && npm install --ignore-scripts --no-audit --no-fund --loglevel=error $wanted)
	echo "$wanted" > "$dir/.requirements"
}

clients_node() {
	node_make node "openai@$OPENAI_NODE" "@anthropic-ai/sdk@$ANTHROPIC_NODE"
}

clients_mcp() {
	venv_make mcp "mcp==$MCP_PYTHON"
	if command -v npm > /dev/null; then
		node_make node-mcp "@modelcontextprotocol/sdk@$MCP_NODE" zod
	fi
}

[ $# -gt 0 ] || set -- python node mcp
for part in "$@"; do
	case "$part" in
	python | node | agent | mcp) "clients_$part" ;;
	*) sed -n '7s/^#[[:space:]]*//p' "$0" >&2; exit 2 ;;
	esac
done
