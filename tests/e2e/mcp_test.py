#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Tools by MCP with the real SDKs: each call of a tool is one TOOL span with its name, arguments and result."""

import json
import os
import socket
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import paths, proc, spantap, tap  # noqa: E402
from harness.steps import CLIENTS  # noqa: E402

PYTHON = os.path.join(paths.BUILD, "venv-mcp", "bin", "python")
SERVER = os.path.join(CLIENTS, "mcp_server.py")
CLIENT = os.path.join(CLIENTS, "mcp_client.py")


def setup():
    spantap.need_spantap()
    if not os.path.exists(PYTHON):
        subprocess.run([os.path.join(paths.TOP, "tests", "setup", "clients.sh"), "mcp"], stdout=sys.stderr)
    if not os.path.exists(PYTHON):
        raise tap.Skip("no SDK of MCP: run tests/setup/clients.sh mcp")


def listens(port):
    with socket.socket() as s:
        return s.connect_ex(("127.0.0.1", port)) == 0


class Server:
    """The SDK's server over HTTP, outside of what is traced."""

    def __init__(self, transport):
        self.port = proc.free_port()
        self.process = proc.Process([PYTHON, SERVER, transport, str(self.port)], "MCP server")
        proc.wait_for("the MCP server", lambda: listens(self.port))
        self.url = f"http://127.0.0.1:{self.port}/{'sse' if transport == 'sse' else 'mcp'}"


def is_mcp(span):
    return span["attributes"].get("spantap.dialect") == "mcp"


def check_spans(check, spans, capture="plain", complete=True, is_first=False):
    spans = [s for s in spans if is_mcp(s)]
    for span in spans:
        attributes = span["attributes"]
        check.equal(attributes.get("spantap.complete"), complete, f"spantap.complete of {span['name']}")
        check.equal(attributes.get("spantap.capture"), capture, f"spantap.capture of {span['name']}")
    names = sorted(s["name"] for s in spans)
    check.equal([n for n in names if n.startswith("tools/call")], ["tools/call add", "tools/call fail"], "tools' spans")
    check.equal([n for n in names if n == "resources/read"], ["resources/read"], "spans of resources")
    check.that("tools/list" in names, "a span of the list")
    check.that({"initialize", "server/discover"} & set(names), f"a span of the handshake in {names}")
    check.that(not any("notif" in n or "ping" in n for n in names), "no span of notifications and pings")
    add = next((s for s in spans if s["name"] == "tools/call add"), {"attributes": {}})
    attributes = add["attributes"]
    check.equal(attributes.get("gen_ai.operation.name"), "execute_tool", "operation")
    check.equal(attributes.get("gen_ai.tool.name"), "add", "tool")
    check.equal(json.loads(attributes.get("gen_ai.tool.call.arguments", "{}")), {"a": 40, "b": 2}, "arguments")
    check.equal(attributes.get("gen_ai.tool.call.result"), "42", "result")
    check.equal(attributes.get("mcp.method.name"), "tools/call", "method")
    tells = capture == "plain" and not is_first
    check.that(attributes.get("mcp.protocol.version") or attributes.get("mcp.session.id") or not tells, "version or session")
    fail = next((s for s in spans if s["name"] == "tools/call fail"), {"attributes": {}})
    check.equal(fail["attributes"].get("error.type"), "tool_error", "error of the tool that fails")
    read = next((s for s in spans if s["name"] == "resources/read"), {"attributes": {}})
    check.equal(read["attributes"].get("mcp.resource.uri"), "note://today", "resource")


def over_http(check, mode, transport="streamable-http"):
    server = Server(transport)
    result, spans = spantap.run([PYTHON, CLIENT, mode, server.url])
    check.must(result.status == 0, repr(result))
    check_spans(check, spans, is_first=transport == "sse")
    check.equal(spantap.balanced(result.summary), 0, "difference of the ledger")
    server.process.stop()


def test_a_session_over_http(check):
    over_http(check, "legacy")


def test_the_stateless_generation_over_http(check):
    over_http(check, "auto")


def test_the_first_transport_over_http(check):
    over_http(check, "legacy", "sse")


def over_stdio(check, client, env=None):
    result, spans = spantap.run(client, env=env)
    check.must(result.status == 0, repr(result))
    check_spans(check, spans, "pipe")
    for span in spans:
        if is_mcp(span):
            check.equal(span["attributes"].get("network.transport"), "pipe", "transport")
            check.equal(span["attributes"].get("process.pid"), spans[0]["attributes"].get("process.pid"), "caller")
    check.equal(spantap.balanced(result.summary), 0, "difference of the ledger")


def test_a_session_over_stdio(check):
    over_stdio(check, [PYTHON, CLIENT, "legacy", PYTHON, SERVER, "stdio"])


def test_the_stateless_generation_over_stdio(check):
    over_stdio(check, [PYTHON, CLIENT, "auto", PYTHON, SERVER, "stdio"])


def test_node_over_socket_pairs(check):
    directory = os.path.join(paths.BUILD, "node-mcp")
    if not os.path.isdir(os.path.join(directory, "node_modules")):
        raise tap.Skip("no packages of MCP for node: run tests/setup/clients.sh mcp")
    env = dict(spantap.clean_env(), NODE_DIR=directory)
    client, server = os.path.join(CLIENTS, "mcp_client.mjs"), os.path.join(CLIENTS, "mcp_server.mjs")
    over_stdio(check, ["node", client, "node", server], env)


def test_who_leaves_in_a_call_is_told(check):
    """No byte is missing: the pipe's last offsets are known, whichever of the two ends, and whether the run ends with it."""
    left = [sys.executable, os.path.join(CLIENTS, "mcp_left.py")]
    for who, command, end in (
        ("server", [*left, "server"], "server_cut"),
        ("client", [*left, "client"], "client_cancel"),
        ("client", ["sh", "-c", " ".join([*left, "client", "; sleep 4"])], "client_cancel"),
    ):
        result, spans = spantap.run(command)
        calls = [s["attributes"] for s in spans if s["name"] == "tools/call add"]
        check.equal([a.get("spantap.end") for a in calls], [end], f"ends of the call that the {who} left: {result!r}")
        check.equal([a.get("spantap.complete") for a in calls], [True], f"completeness of the call that the {who} left")
        check.equal(spantap.balanced(result.summary), 0, "difference of the ledger")


if __name__ == "__main__":
    tap.main(sys.modules[__name__], setup)
