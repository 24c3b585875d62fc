# SPDX-License-Identifier: Apache-2.0
"""A server in front of a real MLflow that fails as servers do: per request, by a function of the test's choice.

The function gets (method, path, body decompressed) and returns one of
  None            pass it on                        (status, headers)     answer this instead
  "drop"          close without an answer           "swallow"             pass it on, then close without an answer:
  "hang"          answer nothing for a while                              the sender cannot know that it arrived
"""

import gzip
import http.client
import http.server
import threading
import urllib.parse


class Flaky:
    def __init__(self, upstream, fault):
        self.upstream, self.fault, self.seen, self.stopping = (
            urllib.parse.urlsplit(upstream),
            fault,
            [],
            threading.Event(),
        )
        flaky = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do(self):
                flaky.handle(self)

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def handle(self, handler):
        body = self.read(handler)
        text = gzip.decompress(body) if handler.headers.get("Content-Encoding") == "gzip" else body
        what = self.fault(handler.command, handler.path, text)
        self.seen.append((handler.command, handler.path, what))
        if what in ("drop", "hang"):
            if what == "hang":
                self.stopping.wait(20)
            handler.close_connection = True
            return
        if isinstance(what, tuple):
            self.answer(handler, what[0], what[1], b'{"error_code": "FAULT", "message": "made by the test"}')
            return
        status, headers, data = self.forward(handler, body)
        if what == "swallow":
            handler.close_connection = True
            return
        self.answer(handler, status, {"Content-Type": headers.get("Content-Type", "application/json")}, data)

    @staticmethod
    def read(handler):
        if "chunked" in handler.headers.get("Transfer-Encoding", ""):
            out = b""
            while size := int(handler.rfile.readline().split(b";")[0], 16):
                out += handler.rfile.read(size)
                handler.rfile.readline()
            handler.rfile.readline()
            return out
        return handler.rfile.read(int(handler.headers.get("Content-Length", 0)))

    def forward(self, handler, body):
        connection = http.client.HTTPConnection(self.upstream.hostname, self.upstream.port, timeout=60)
        headers = {
            k: v
            for k, v in handler.headers.items()
            if k.lower() not in ("host", "connection", "transfer-encoding", "content-length")
        }
        connection.request(handler.command, handler.path, body, headers)
        answer = connection.getresponse()
        data = answer.read()
        connection.close()
        return answer.status, answer.headers, data

    @staticmethod
    def answer(handler, status, headers, data):
        handler.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(data))}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(data)

    def stop(self):
        self.stopping.set()
        self.server.shutdown()
        self.server.server_close()
