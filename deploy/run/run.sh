#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# `make run`: from a fresh machine to the LLM calls of this host, live on the screen and as traces in MLflow.
#
#	MLFLOW_TRACKING_URI=…   deliver there instead of starting a server here
#	DEMO=0                  without the sample agent
set -eu
top=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
cd "$top"

if [ "$(id -u)" != 0 ]; then
	echo "make run needs root: uprobes and the kernel's ring buffers do. Try: sudo make run" >&2
	exit 1
fi
tests/setup/system.sh build
make --no-print-directory all ${BUILD:+BUILD="$BUILD"}
[ -n "${MLFLOW_TRACKING_URI:-}" ] || tests/setup/mlflow.sh
[ "${DEMO:-1}" = 0 ] || tests/setup/clients.sh agent
exec python3 deploy/run/run.py
