#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A client that does one step for each line of its stdin, on one connection, and says on stdout what came of it.

steps.py ADDRESS [CA]      ADDRESS: host:port (TLS with CA, else plain) or a path (unix socket)
  call PATH TAG            a whole exchange          stream PATH TAG N    begins a stream, stops after N events
  rest                     reads the stream's rest   leave                closes the connection
  get PATH                 a whole exchange without a question
  post PATH BYTES          the same with a question that is of no model
  child PATH TAG           the same as call, from a forked child on a connection of its own
"""

import hashlib
import http.client
import json
import os
import socket
import ssl
import sys


class Unix(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)


def connect():
    address = sys.argv[1]
    if "/" in address:
        return Unix(address)
    host, port = address.split(":")
    if len(sys.argv) > 2:
        return http.client.HTTPSConnection(
            host, int(port), timeout=60, context=ssl.create_default_context(cafile=sys.argv[2])
        )
    return http.client.HTTPConnection(host, int(port), timeout=60)


def ask(connection, path, tag, stream):
    text = f"[{tag}] hello"
    asked = {"prompt": text} if path.endswith("/generate") else {"messages": [{"role": "user", "content": text}]}
    body = json.dumps({"model": "gpt-4o-mini", "stream": stream, **asked}).encode()
    connection.request(
        "POST", path, body, {"Content-Type": "application/json", "Authorization": "Bearer sk-test-secret-0123456789"}
    )
    return connection.getresponse(), len(body)


def told(**values):
    print(json.dumps(values), flush=True)


def call(connection, path, tag):
    answer, sent = ask(connection, path, tag, False)
    data = answer.read()
    told(
        tag=tag,
        status=answer.status,
        request_bytes=sent,
        response_bytes=len(data),
        sha=hashlib.sha256(data).hexdigest(),
    )


def main():
    connection, answer = connect(), None
    connection.connect()
    told(pid=os.getpid())
    for line in sys.stdin:
        words = line.split()
        if words[0] == "call":
            call(connection, words[1], words[2])
        elif words[0] == "get":
            connection.request("GET", words[1])
            told(got=len(connection.getresponse().read()))
        elif words[0] == "post":
            connection.request("POST", words[1], b'{"kept":"%s"}' % (b"x" * int(words[2])) if int(words[2]) else b"{}")
            told(got=len(connection.getresponse().read()))
        elif words[0] == "child":
            pid = os.fork()
            if pid == 0:
                call(connect(), words[1], words[2])
                os._exit(0)
            os.waitpid(pid, 0)
        elif words[0] == "stream":
            answer, _ = ask(connection, words[1], words[2], True)
            for _ in range(int(words[3])):
                answer.readline(), answer.readline()
            told(streaming=words[2])
        elif words[0] == "rest":
            told(rest=len(answer.read()))
        elif words[0] == "leave":
            if answer:
                answer.close()
            connection.close()
            told(left=True)


if __name__ == "__main__":
    main()
