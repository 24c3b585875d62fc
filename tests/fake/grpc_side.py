# SPDX-License-Identifier: Apache-2.0
"""What the gRPC fakes share: a server in a process of its own, with TLS too where it is given a certificate, and its truth, which is that of provider.py.

Sizes are not told: what a gRPC message weighs on its stream is the carrier's business.
"""

import argparse
import concurrent.futures
import hashlib
import json
import time

import grpc


class Truth:
    def __init__(self, path):
        self.file, self.serial = open(path, "a", buffering=1), 0

    def next(self):
        self.serial += 1
        return self.serial

    def tell(self, target, dialect, model, streamed, text, tools, usage):
        """At once: nothing here can fail the exchange."""
        told = {
            "t": time.time(),
            "serial": self.serial,
            "http": "2",
            "target": target,
            "dialect": dialect,
            "model": model,
            "stream": streamed,
            "status": 200,
            "tools": tools,
            "usage": usage,
            "text_sha": hashlib.sha256(text.encode()).hexdigest(),
            "text_length": len(text),
            "end": "complete",
        }
        self.file.write(json.dumps(told) + "\n")


def serve(add, description):
    """add(truth, server) puts the services in."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--truth", required=True)
    parser.add_argument("--cert")
    parser.add_argument("--key")
    args = parser.parse_args()
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
    add(Truth(args.truth), server)
    ports = {"plain": server.add_insecure_port("127.0.0.1:0")}
    if args.cert:
        with open(args.key, "rb") as key, open(args.cert, "rb") as cert:
            credentials = grpc.ssl_server_credentials([(key.read(), cert.read())])
        ports["tls"] = server.add_secure_port("127.0.0.1:0", credentials)
    server.start()
    print(json.dumps(ports), flush=True)
    server.wait_for_termination()
