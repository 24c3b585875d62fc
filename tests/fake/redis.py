#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""As much of Redis as its search needs, which Debian's Redis lacks: prints its port, serves until its input ends."""

import socketserver
import sys
import threading

DOCUMENTS = [(b"d:1", b"alpha", b"0.25"), (b"d:2", b"beta", b"0.5")]


def bulk(text):
    return b"$%d\r\n%s\r\n" % (len(text), text)


def found(protocol):
    rows = [[b"__vector_score", score, b"content", text] for _, text, score in DOCUMENTS]
    names = [name for name, _, _ in DOCUMENTS]
    if protocol == 3:
        parts = [
            b"%%2\r\n%s%s%s%%%d\r\n%s" % (bulk(b"id"), bulk(n), bulk(b"extra_attributes"), len(r) // 2, b"".join(map(bulk, r)))
            for n, r in zip(names, rows)
        ]
        return b"%%2\r\n%s:2\r\n%s*2\r\n%s" % (bulk(b"total_results"), bulk(b"results"), b"".join(parts))
    parts = [bulk(n) + b"*%d\r\n" % len(r) + b"".join(map(bulk, r)) for n, r in zip(names, rows)]
    return b"*5\r\n:2\r\n" + b"".join(parts)


class Connection(socketserver.StreamRequestHandler):
    protocol = 2

    def command(self):
        line = self.rfile.readline()
        if not line:
            return None
        words = []
        for _ in range(int(line[1:])):
            words.append(self.rfile.read(int(self.rfile.readline()[1:])))
            self.rfile.read(2)
        return words

    def answer(self, words):
        name = words[0].upper()
        if name == b"HELLO":
            self.protocol = int(words[1]) if len(words) > 1 else 2
            return b"%%1\r\n+proto\r\n:%d\r\n" % self.protocol if self.protocol == 3 else b"*2\r\n+proto\r\n:2\r\n"
        if name == b"GET":
            return bulk(b"v")
        return found(self.protocol) if name == b"FT.SEARCH" else b"+OK\r\n"

    def handle(self):
        while words := self.command():
            self.wfile.write(self.answer(words))


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


if __name__ == "__main__":
    server = Server(("127.0.0.1", 0), Connection)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()
