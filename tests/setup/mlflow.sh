#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# build/venv-mlflow: a stock MLflow server, pinned to the version whose behaviour the tests were measured against.
set -eu
. "$(dirname -- "$0")/python.sh"

venv_make mlflow "mlflow==${MLFLOW_VERSION:-3.17.2}"
