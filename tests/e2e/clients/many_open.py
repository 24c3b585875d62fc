#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A process that dies in the middle of many calls at once, each on a unix socket of its own, and their server.

many_open.py serve PATH            answers each question with the first event of a stream that does not end; says so by "ready"
many_open.py ask PATH COUNT HOW    HOW: kill or exit
"""

import json
import os
import resource
import selectors
import signal
import socket
import sys

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def event(text):
    data = json.dumps({"id": "c-1", "model": "gpt-4o-mini", "choices": [{"index": 0, "delta": {"content": text}}]})
    line = f"data: {data}\n\n".encode()
    return b"%x\r\n%s\r\n" % (len(line), line)


def serve(path):
    ready, server = selectors.DefaultSelector(), socket.socket(socket.AF_UNIX)
    server.bind(path)
    server.listen(4096)
    ready.register(server, selectors.EVENT_READ)
    print("ready", flush=True)
    while True:
        for key, _ in ready.select():
            if key.fileobj is server:
                ready.register(server.accept()[0], selectors.EVENT_READ)
            elif key.fileobj.recv(1 << 16):
                key.fileobj.sendall(HEAD + event("begun"))
            else:
                ready.unregister(key.fileobj)
                key.fileobj.close()


def ask(path, count, how):
    kept = []
    for i in range(count):
        kept.append(socket.socket(socket.AF_UNIX))
        kept[i].connect(path)
        body = json.dumps(
            {"model": "gpt-4o-mini", "stream": True, "messages": [{"role": "user", "content": f"[open-{i}] hello"}]}
        )
        kept[i].sendall(
            b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            b"Content-Length: %d\r\n\r\n%s" % (len(body), body.encode())
        )
    for connection in kept:
        assert b"begun" in connection.recv(1 << 16)
    if how == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    os._exit(0)


if __name__ == "__main__":
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    if sys.argv[1] == "serve":
        serve(sys.argv[2])
    ask(sys.argv[2], int(sys.argv[3]), sys.argv[4])
