# SPDX-License-Identifier: Apache-2.0
"""Where things are. Each can be set from outside, so that the tests also run against an installed spantap."""

import os

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(TOP, os.environ.get("BUILD", "build"))
SPANTAP = os.environ.get("SPANTAP") or os.path.join(BUILD, "spantap")
SHARED = os.environ.get("SPANTAP_SHARED") or os.path.join(os.path.dirname(TOP), "shared")
GOLD = os.environ.get("SPANTAP_GOLD") or os.path.join(SHARED, "gold")
RECORDINGS = os.environ.get("SPANTAP_RECORDINGS") or os.path.join(SHARED, "recordings")
CERTS = os.path.join(BUILD, "test", "certs")
MLFLOW_PYTHON = os.path.join(BUILD, "venv-mlflow", "bin", "python")
CLIENT_PYTHON = os.path.join(BUILD, "venv-clients", "bin", "python")
SDK_PYTHON = os.path.join(BUILD, "venv-sdks", "bin", "python")
VERTEX_PYTHON = os.path.join(BUILD, "venv-sdks-vertex", "bin", "python")
PARITY_PYTHON = os.path.join(BUILD, "venv-parity", "bin", "python")
SDK_NODE_DIR = os.path.join(BUILD, "node-sdks")
NODE_DIR = os.path.join(BUILD, "node")
PROVIDER = os.path.join(TOP, "tests", "fake", "provider.py")
