# SPDX-License-Identifier: Apache-2.0
"""What the black-box tests share: a real MLflow server, the fake provider, spantap itself, TAP. Standard library
only."""
