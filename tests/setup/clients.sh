#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The programs under trace: build/venv-clients with the Python SDKs and the same MLflow (its autolog is what parity is
# measured against), and with "node" as argument also build/node with the JavaScript SDKs.
#
#	tests/setup/clients.sh [python] [node] [agent] [retrievers]
set -eu
. "$(dirname -- "$0")/python.sh"

OPENAI_PYTHON=3.54.0
ANTHROPIC_PYTHON=2.12.0
GOOGLE_PYTHON=3.4.0
OPENAI_NODE=6.49.0
ANTHROPIC_NODE=1.12.0

clients_python() {
	venv_make clients "mlflow==${MLFLOW_VERSION:-3.17.2}" "openai==$OPENAI_PYTHON" "anthropic==$ANTHROPIC_PYTHON" \
		"google-genai==$GOOGLE_PYTHON" \
		httpx aiohttp requests pydantic brotli zstandard pyyaml websockets
}

# What the sample agent of `make run` needs, and no more: a second's work.
clients_agent() {
	venv_make agent "openai==$OPENAI_PYTHON"
}

# Stores of vectors with their clients: PostgreSQL with pgvector, Chroma. Large; only tests/e2e/retrievers_test.py wants it.
clients_retrievers() {
	venv_make retrievers pgserver "psycopg[binary]" asyncpg chromadb redis
}

clients_node() {
	dir=$BUILD/node
	wanted="openai@$OPENAI_NODE @anthropic-ai/sdk@$ANTHROPIC_NODE"
	[ "$(cat "$dir/.requirements" 2>/dev/null)" = "$wanted" ] && return
	echo "setting up $dir: $wanted"
	mkdir -p "$dir"
	echo '{"private": true, "type": "module"}' > "$dir/package.json"
	# shellcheck disable=SC2086
	(cd "$dir" && npm install --ignore-scripts --no-audit --no-fund --loglevel=error $wanted)
	echo "$wanted" > "$dir/.requirements"
}

[ $# -gt 0 ] || set -- python node
for part in "$@"; do
	case "$part" in
	python | node | agent | retrievers) "clients_$part" ;;
	*) sed -n '6s/^#[[:space:]]*//p' "$0" >&2; exit 2 ;;
	esac
done
