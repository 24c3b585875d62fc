#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The kernel's tables have a size, for all processes: what is over leaves them while its process goes on."""

import json
import os
import shutil
import socket
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import fake, proc, spantap, tap  # noqa: E402

NUMBER = 5


def setup():
    spantap.need_spantap()


def table(name):
    """Keys of a table of the kernel side."""
    if not shutil.which("bpftool"):
        raise tap.Skip("no bpftool")
    dump = subprocess.run(["bpftool", "-j", "map", "dump", "name", name], capture_output=True, text=True, check=True)
    return [entry.get("formatted", entry)["key"] for entry in json.loads(dump.stdout)]


class Proxy:
    """One that is asked for the way by CONNECT, and then passes bytes."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            threading.Thread(target=self.lead, args=self.listener.accept()[:1], daemon=True).start()

    def lead(self, client):
        with client, client.makefile("rb", 0) as lines:
            host, port = lines.readline().split()[1].decode().rsplit(":", 1)
            while lines.readline().strip():
                pass
            with socket.create_connection((host, int(port))) as server:
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=self.move, args=(server, client), daemon=True)
                back.start()
                self.move(client, server)
                back.join()

    @staticmethod
    def move(one, other):
        try:
            while data := one.recv(1 << 16):
                other.sendall(data)
            other.shutdown(socket.SHUT_WR)
        except OSError:
            pass


PROXIED = """
import http.client, json, ssl, sys
for i in range(int(sys.argv[3])):
    client = http.client.HTTPSConnection("127.0.0.1", int(sys.argv[1]), context=ssl.create_default_context())
    client.set_tunnel("localhost", int(sys.argv[2]))
    body = json.dumps({"model": f"m-{i}", "messages": [{"role": "user", "content": "hi"}]})
    client.request("POST", "/v1/chat/completions", body, {"content-type": "application/json"})
    assert client.getresponse().read()
    client.close()
print("done", flush=True)
sys.stdin.read()
"""


def test_a_way_through_a_proxy_is_over_when_its_socket_is(check):
    provider, proxy = fake.Provider(), Proxy()
    tracer = spantap.Spantap(env=fake.client_env(provider))
    line = [sys.executable, "-c", PROXIED, str(proxy.port), str(provider.tls_port), str(NUMBER)]
    pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with subprocess.Popen(line, env=fake.client_env(provider), **pipes) as client:
        check.equal(client.stdout.readline(), "done\n", "what the client says")
        tracer.wait_spans(NUMBER, where=spantap.is_model_call)
        left = [key for key in table("st_conns") if key["tgid"] == client.pid]
        check.equal(left, [], "connections of a process that has none")
        client.stdin.close()
    check.equal(spantap.balanced(tracer.stop().summary), 0, "difference of the ledger")
    provider.stop()


SHORT = """
import json, socket, sys
for i in range(int(sys.argv[2])):
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(sys.argv[1])
        body = json.dumps({"model": f"m-{i}", "messages": [{"role": "user", "content": "hi"}]}).encode()
        head = "POST /v1/chat/completions HTTP/1.1\\r\\nHost: x\\r\\nContent-Type: application/json\\r\\nContent-Length: %d\\r\\n\\r\\n"
        client.sendall(head.encode() % len(body) + body)
        assert client.recv(1 << 16)
print("done", flush=True)
sys.stdin.read()
"""


def test_sockets_whose_state_nobody_tells_are_over_when_they_are_closed(check):
    path = os.path.join(proc.scratch("unix"), "socket")
    provider = fake.Provider(unix=path, tls=False)
    tracer = spantap.Spantap(env=fake.client_env())
    line = [sys.executable, "-c", SHORT, path, str(NUMBER)]
    pipes = dict(stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    with subprocess.Popen(line, env=fake.client_env(), **pipes) as client:
        check.equal(client.stdout.readline(), "done\n", "what the client says")
        left = proc.wait_for("no connections", lambda: client.pid not in [k["tgid"] for k in table("st_conns")], 40)
        check.that(left, "connections of a process that has none")
        client.stdin.close()
    tracer.wait_spans(NUMBER, where=spantap.is_model_call)
    check.equal(spantap.balanced(tracer.stop().summary), 0, "difference of the ledger")
    provider.stop()


if __name__ == "__main__":
    tap.main(sys.modules[__name__], setup)
