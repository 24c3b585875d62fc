# SPDX-License-Identifier: Apache-2.0
"""The driver of spool and sinks (tests/unit/daemon/drive.c) as a child, and a server that fails as it is told."""

import gzip
import http.server
import json
import os
import re
import socket
import struct
import subprocess
import threading
import time
import urllib.parse

from harness import paths, proc, tap

DRIVE = os.environ.get("SPANTAP_DRIVE") or os.path.join(paths.BUILD, "unit", "daemon", "drive")
TRACE = re.compile(rb"\x0a\x10(\xab{8}.{8})", re.S)


def setup():
    if os.environ.get("SPANTAP_DRIVE"):
        return
    made = subprocess.run(
        ["make", "-s", "-C", paths.TOP, f"BUILD={paths.BUILD}", DRIVE], capture_output=True, text=True
    )
    if made.returncode:
        raise tap.Failed(f"cannot make the driver\n{made.stderr[-2000:]}")


class Drive:
    """One run of the driver over a spool that the next run finds again."""

    def __init__(self, url, kind="mlflow", spool=None, **env):
        self.directory = spool or proc.scratch("drive")
        self.spool = os.path.join(self.directory, "spool.db")
        self.sinks = [f"{kind}:{url}"]
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "OTEL_", "HTTP", "http"))}
        self.env = {**clean, **env, "ASAN_OPTIONS": "detect_leaks=1"}
        self.said = ""

    def command(self, count, first=0, drain=20000, poison=(), more=()):
        out = [DRIVE, "--spool", self.spool, "--count", str(count), "--first", str(first), "--drain", str(drain)]
        for sink in self.sinks:
            out += ["--sink", sink]
        for number, kind in poison:
            out += ["--poison", f"{number}:{kind}"]
        return out + list(more)

    def run(self, count, timeout=60, **more):
        """The sums. What it said on stderr is in self.said."""
        done = subprocess.run(self.command(count, **more), env=self.env, capture_output=True, timeout=timeout)
        self.said = done.stderr.decode(errors="replace")
        if done.returncode:
            raise tap.Failed(f"the driver ended with {done.returncode}\n{self.said[-3000:]}")
        return json.loads(done.stdout.splitlines()[-1])


def numbers(body):
    """The records in an export request."""
    return [struct.unpack(">Q", found[8:])[0] - 1 for found in TRACE.findall(body)]


class Fake:
    """As much of MLflow and of an OTLP collector as a sink can see. @fault(request) returns None or what to do instead:
    an int status, (status, headers, body), "hang", "half" (200 cut in its body), "reset", "drop"."""

    def __init__(self, fault=None, version="3.17.2", prefix=""):
        self.fault, self.version, self.prefix = fault or (lambda r: None), version, prefix
        self.lock, self.requests, self.taken, self.experiments = threading.Lock(), [], {}, {}
        self.lifecycle, self.otlp_reply, self.stopping = "active", b"", threading.Event()
        fake = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_GET(self):
                fake.serve(self)

            do_POST = do_GET

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                pass

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}{prefix}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.stopping.set()
        self.server.shutdown()
        self.server.server_close()

    def serve(self, handler):
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        if handler.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        request = {
            "path": handler.path,
            "body": body,
            "numbers": numbers(body),
            "headers": dict(handler.headers),
            "time": time.monotonic(),
        }
        with self.lock:
            self.requests.append(request)
            what = self.fault(request)
        if what is None:
            self.answer(handler, *self.route(request))
        elif isinstance(what, (int, tuple)):
            self.answer(handler, *(what if isinstance(what, tuple) else (what, {}, b"<html>no</html>")))
        else:
            self.misbehave(handler, what)

    def misbehave(self, handler, what):
        handler.close_connection = True
        if what == "hang":
            self.stopping.wait(60)
        if what in ("half", "reset"):
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nhalf")
            handler.wfile.flush()
        if what == "reset":
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            handler.connection.close()

    def route(self, request):
        path = request["path"].split("?")[0].removeprefix(self.prefix)
        if path == "/version":
            return 200, {}, self.version.encode()
        if "/experiments/" in path:
            return self.experiment(path, request)
        if path == "/api/3.0/mlflow/traces":
            return 200, {}, b"{}"
        if path.endswith("/v1/traces"):
            with self.lock:
                for number in request["numbers"]:
                    self.taken[number] = self.taken.get(number, 0) + 1
            return 200, {"Content-Type": "application/x-protobuf"}, self.otlp_reply
        return 404, {}, b"Not Found"

    def experiment(self, path, request):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(request["path"]).query)
        name = query.get("experiment_name", [None])[0]
        if path.endswith("/create"):
            self.experiments[json.loads(request["body"])["name"]] = "7"
            return 200, {}, b'{"experiment_id":"7"}'
        if name and name not in self.experiments:
            return 404, {}, b'{"error_code":"RESOURCE_DOES_NOT_EXIST","message":"no"}'
        number = self.experiments[name] if name else query["experiment_id"][0]
        text = {"experiment": {"experiment_id": number, "name": name, "lifecycle_stage": self.lifecycle}}
        return 200, {}, json.dumps(text).encode()

    @staticmethod
    def answer(handler, status, headers, body):
        handler.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers, "Content-Length": str(len(body))}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    def paths(self, part):
        return [r for r in self.requests if part in r["path"]]


def is_export(request):
    return request["path"].endswith("/v1/traces")
