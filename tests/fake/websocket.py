#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""OpenAI's Responses over WebSocket: websocket.py --truth FILE --cert PEM --key PEM, with the package websockets.

Each "response.create" is answered by the events of dialects.responses(), one message each. permessage-deflate is used when
the client offers it. Truth as in provider.py; sizes are not told.
"""

import argparse
import asyncio
import hashlib
import json
import os
import ssl
import sys
import time

from websockets.asyncio.server import serve

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dialects  # noqa: E402
import provider  # noqa: E402


class Server:
    def __init__(self, truth):
        self.truth, self.serial = truth, 0

    async def connection(self, socket):
        target = socket.request.path
        async for message in socket:
            request = json.loads(message)
            if request.get("type") != "response.create":
                continue
            self.serial += 1
            options = dict(provider.options_of(target)[0], serial=self.serial)
            answer = dialects.responses(dict(request, stream=True), options)
            for piece in answer.pieces:
                await socket.send(piece.decode().split("data: ", 1)[1].strip())
            self.tell(target, request, answer)

    def tell(self, target, request, answer):
        told = {
            "t": time.time(),
            "serial": self.serial,
            "http": "websocket",
            "target": target,
            "dialect": "openai.responses",
            "model": request.get("model"),
            "stream": True,
            "status": 101,
            "tools": answer.tools,
            "usage": answer.usage,
            "text_sha": hashlib.sha256(answer.text.encode()).hexdigest(),
            "text_length": len(answer.text),
            "end": "complete",
        }
        self.truth.write(json.dumps(told) + "\n")


async def run(args):
    handler = Server(open(args.truth, "a", buffering=1)).connection
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(args.cert, args.key)
    async with serve(handler, "127.0.0.1", 0) as plain, serve(handler, "127.0.0.1", 0, ssl=context) as tls:
        ports = {name: server.sockets[0].getsockname()[1] for name, server in (("plain", plain), ("tls", tls))}
        print(json.dumps(ports), flush=True)
        await asyncio.Future()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    for option in ("--truth", "--cert", "--key"):
        parser.add_argument(option, required=True)
    try:
        asyncio.run(run(parser.parse_args()))
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
