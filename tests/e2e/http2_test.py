#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 over TLS: curl and httpx against Node's own server. H2_PYTHON names a Python that has httpx with h2."""

import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from fake import certs  # noqa: E402
from harness import fake, paths, proc, spantap, tap, wire  # noqa: E402
from harness.steps import CLIENTS  # noqa: E402

BODY = '{"model":"m-curl","stream":true,"messages":[{"role":"user","content":"one two three"}]}'


def setup():
    spantap.need_spantap()
    if not shutil.which("node"):
        raise tap.Skip("no node")


def server():
    cert, key = certs.make(paths.CERTS)[1:]
    process = proc.Process(["node", os.path.join(CLIENTS, "h2server.mjs"), cert, key], stdout=subprocess.PIPE)
    port = proc.read_line(process.popen.stdout.fileno(), 20, "port of the server")
    return process, f"https://localhost:{port}/v1/chat/completions"


def calls(cmd):
    """The model calls of the client's own end, by model, and the run's result."""
    result, spans = spantap.run(cmd, env=fake.client_env())
    return result, {s["attributes"].get("gen_ai.request.model"): s["attributes"] for s in spans}, spans


def expect_whole(check, attributes, name):
    check.equal(attributes.get("spantap.dialect"), "openai.chat", f"dialect of {name}")
    check.equal(attributes.get("network.protocol.version"), "2", f"version of {name}")
    check.equal(attributes.get("url.path"), "/v1/chat/completions", f"path of {name}")
    check.equal(attributes.get("spantap.complete"), True, f"spantap.complete of {name}")
    check.equal(attributes.get("spantap.end"), "complete", f"end of {name}")
    check.equal("".join(wire.of_parts(attributes).get("text", [])), "one two three ", f"text of {name}")


def test_curl_over_http2_is_captured_whole(check):
    if "HTTP2" not in subprocess.run(["curl", "--version"], capture_output=True, text=True).stdout:
        raise tap.Skip("this curl has no HTTP/2")
    process, url = server()
    cmd = ["curl", "-sS", "--http2", url, "-H", "content-type: application/json", "-d", BODY]
    result, by_model, spans = calls(cmd)
    check.must(result.status == 0, repr(result))
    check.equal(len(spans), 1, "spans")
    expect_whole(check, by_model.get("m-curl", {}), "curl")
    check.equal(spantap.balanced(result.summary), 0, "difference of the ledger")
    process.stop()


def test_httpx_on_one_connection_and_a_call_given_up(check):
    python = os.environ.get("H2_PYTHON") or paths.CLIENT_PYTHON
    if subprocess.run([python, "-c", "import httpx, h2"], stderr=subprocess.DEVNULL).returncode:
        raise tap.Skip("no httpx with h2")
    process, url = server()
    result, by_model, spans = calls([python, os.path.join(CLIENTS, "h2client.py"), url])
    check.must(result.status == 0, repr(result))
    check.equal(len(spans), 4, "spans")
    for number in range(3):
        expect_whole(check, by_model.get(f"m-{number}", {}), f"m-{number}")
    check.equal(by_model.get("slow", {}).get("spantap.end"), "client_cancel", "end of the call that was given up")
    check.equal(by_model.get("slow", {}).get("spantap.complete"), True, "spantap.complete of it")
    check.equal(spantap.balanced(result.summary), 0, "difference of the ledger")
    process.stop()


def test_a_socket_on_a_stream(check):
    script = os.path.join(CLIENTS, "h2socket.mjs")
    cert, key = certs.make(paths.CERTS)[1:]
    process = proc.Process(["node", script, "server", cert, key], stdout=subprocess.PIPE)
    port = proc.read_line(process.popen.stdout.fileno(), 20, "port of the server")
    result, spans = spantap.run(["node", script, "client", port, "3"], env=fake.client_env())
    check.must(result.status == 0, repr(result))
    check.equal(len(spans), 3, "spans")
    for number, span in enumerate(spans, 1):
        attributes = span["attributes"]
        check.equal(attributes.get("spantap.dialect"), "openai.responses", f"dialect of turn {number}")
        check.equal(attributes.get("network.protocol.name"), "websocket", f"protocol of turn {number}")
        check.equal(attributes.get("url.path"), "/v1/responses", f"path of turn {number}")
        check.equal(attributes.get("spantap.complete"), True, f"spantap.complete of turn {number}")
        text = "".join(wire.of_parts(attributes).get("text", []))
        check.equal(text, f"answer {number}", f"the answer of turn {number}")
    check.equal(spantap.balanced(result.summary), 0, "difference of the ledger")
    process.stop()


if __name__ == "__main__":
    tap.main(sys.modules[__name__], setup)
