#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A test CA and one server certificate for every name that the tests dial; made once, kept below the build folder.

certs.py DIR        writes ca.pem, server.pem (leaf and CA), server.key
"""

import os
import subprocess
import sys
import tempfile

NAMES = (
    "DNS:localhost,DNS:api.openai.com,DNS:api.anthropic.com,DNS:*.openai.azure.com,DNS:api.groq.com,"
    "DNS:api.mistral.ai,DNS:openrouter.ai,IP:127.0.0.1,IP:::1"
)


def openssl(*args):
    subprocess.run(["openssl", *args], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def make(directory):
    """Returns (ca, certificate chain, key). The last file appears last and by rename, so that it vouches for the
    others."""
    paths = [os.path.join(directory, name) for name in ("ca.pem", "server.pem", "server.key")]
    if os.path.exists(paths[2]):
        return paths
    os.makedirs(directory, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=directory) as work:

        def at(name):
            return os.path.join(work, name)

        openssl(
            "req",
            "-x509",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-days",
            "3650",
            "-keyout",
            at("ca.key"),
            "-out",
            at("ca.pem"),
            "-subj",
            "/CN=spantap test CA",
            "-addext",
            "basicConstraints=critical,CA:TRUE",
            "-addext",
            "keyUsage=critical,keyCertSign,cRLSign",
        )
        openssl(
            "req",
            "-newkey",
            "rsa:2048",
            "-nodes",
            "-keyout",
            at("server.key"),
            "-out",
            at("server.csr"),
            "-subj",
            "/CN=localhost",
        )
        with open(at("ext"), "w") as f:
            f.write(f"basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\nsubjectAltName={NAMES}\n")
        openssl(
            "x509",
            "-req",
            "-in",
            at("server.csr"),
            "-CA",
            at("ca.pem"),
            "-CAkey",
            at("ca.key"),
            "-CAcreateserial",
            "-days",
            "3650",
            "-extfile",
            at("ext"),
            "-out",
            at("leaf.pem"),
        )
        with open(at("server.pem"), "w") as f:
            f.write(open(at("leaf.pem")).read() + open(at("ca.pem")).read())
        for path in paths:
            os.rename(at(os.path.basename(path)), path)
    return paths


if __name__ == "__main__":
    print("\n".join(make(sys.argv[1])))
