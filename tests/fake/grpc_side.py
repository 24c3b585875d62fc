# SPDX-License-Identifier: Apache-2.0
"""What the gRPC fakes share: a server without TLS in a process of its own, and its truth, which is that of provider.py.

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
    args = parser.parse_args()
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(4))
    add(Truth(args.truth), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(json.dumps({"plain": port}), flush=True)
    server.wait_for_termination()
