#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Local model servers: no TLS, TCP and unix sockets, OpenAI's and Ollama's own API; one end seen or both."""

import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import fake, proc, spantap, tap, wire  # noqa: E402
from harness.steps import CLIENTS, Steps, tag_of  # noqa: E402

PROVIDER = None
PATHS = [("/v1/chat/completions", "openai.chat"), ("/api/chat", "ollama"), ("/api/generate", "ollama")]


def setup():
    global PROVIDER
    spantap.need_spantap()
    PROVIDER = fake.Provider(plain=True, unix=os.path.join(proc.scratch("unix"), "model.sock"))


def one_client(check, address, tag):
    """`run -- CLIENT`: the client's end alone."""
    steps = "".join(f"call {path} {tag}-{i}\n" for i, (path, _) in enumerate(PATHS))
    steps += f"stream /x/events=20{PATHS[1][0]} {tag}-9 3\nrest\n"
    result, spans = spantap.run(
        [sys.executable, os.path.join(CLIENTS, "steps.py"), address], stdin=steps.encode(), env=fake.client_env()
    )
    check.must(result.status == 0, repr(result))
    return result, {tag_of(s): s["attributes"] for s in spans if spantap.is_model_call(s)}


def check_client(check, result, spans, tag):
    check.equal(
        sorted(map(str, spans)),
        [f"{tag}-{i}" for i in (0, 1, 2, 9)] if len(spans) == 4 else "four calls",
        "calls captured",
    )
    for attributes in spans.values():
        check.equal(attributes.get("spantap.complete"), True, "spantap.complete")
        check.equal(attributes.get("spantap.capture"), "plain", "spantap.capture")
    for i, (_, dialect) in enumerate(PATHS):
        got = spans.get(f"{tag}-{i}", {}).get("spantap.dialect", "")
        check.that(got.startswith(dialect), f"dialect of {PATHS[i][0]}: {got}")
    check.equal(spantap.balanced(result.summary), 0, "difference of the ledger")


def test_tcp_client(check):
    result, spans = one_client(check, f"127.0.0.1:{PROVIDER.plain_port}", "tcp")
    check_client(check, result, spans, "tcp")
    for attributes in spans.values():
        check.equal(
            (attributes.get("server.address"), attributes.get("server.port")),
            ("127.0.0.1", PROVIDER.plain_port),
            "peer",
        )
        check.equal(attributes.get("network.peer.address"), "127.0.0.1", "network.peer.address")


def test_unix_client(check):
    result, spans = one_client(check, PROVIDER.unix, "unix")
    check_client(check, result, spans, "unix")


def both_ends(check, address, tag, tls):
    """The whole host: client and server are both seen, and are one exchange."""
    tracer = spantap.Spantap("--comm", "python*")
    client = Steps(PROVIDER, address, tls=tls)
    for i in range(3):
        client.step("call", PATHS[0][0], f"{tag}-{i}")
    client.step("stream", f"/x/events=30{PATHS[1][0]}", f"{tag}-9", 2)
    client.step("rest")
    tracer.wait_spans(4, where=lambda s: str(tag_of(s)).startswith(tag))
    client.end()
    result = tracer.stop()
    spans = [s for s in tracer.spans() if spantap.is_model_call(s) and str(tag_of(s)).startswith(tag)]
    check.equal(sorted(str(tag_of(s)) for s in spans), [f"{tag}-{i}" for i in (0, 1, 2, 9)], "one span for an exchange")
    for span in spans:
        attributes = span["attributes"]
        check.equal(attributes.get("process.pid"), client.pid, "the client made the call")
        check.that(PROVIDER.pid in attributes.values(), f"the server's process ({PROVIDER.pid}) is named too")
        check.equal(attributes.get("spantap.complete"), True, "spantap.complete")
    check.equal(spantap.balanced(result.summary), 0, "difference of the ledger")


def test_tcp_both_ends_are_one_exchange(check):
    both_ends(check, f"127.0.0.1:{PROVIDER.plain_port}", "bothtcp", False)


def test_unix_both_ends_are_one_exchange(check):
    both_ends(check, PROVIDER.unix, "bothunix", False)


def test_tls_both_ends_are_one_exchange(check):
    both_ends(check, None, "bothtls", True)


# What most clients do first is no call. The verdict on it comes when the call behind it is already under way.
ASKS_FIRST = """
import http.client, json, sys
connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]))
for number in range(int(sys.argv[2])):
    connection.request("GET", "/version")
    connection.getresponse().read()
    asked = {"model": "m", "user": f"first-{number}", "messages": [{"role": "user", "content": "x"}]}
    connection.request("POST", "/v1/chat/completions", json.dumps(asked), {"Content-Type": "application/json"})
    assert b"choices" in connection.getresponse().read()
connection.request("GET", "/x/first=0.1/version")
connection.getresponse().read()
"""


FIRST_COUNT = 300


def ask_first():
    return [sys.executable, "-c", ASKS_FIRST, str(PROVIDER.plain_port), str(FIRST_COUNT)]


def check_first(check, result, spans):
    spans = [s["attributes"] for s in spans if spantap.is_model_call(s)]
    check.equal(len(spans), FIRST_COUNT, "calls")
    broken = [s.get("spantap.missing_reason") for s in spans if s.get("spantap.complete") is not True]
    check.equal(broken, [], "calls that are not whole")
    check.that(result.summary["bytes"]["missing"]["policy"] > 0, "what is none and slow is muted")
    check.equal(spantap.balanced(result.summary), 0, "difference of the ledger")


def test_calls_behind_what_is_none_on_one_connection(check):
    result, spans = spantap.run(ask_first(), env=fake.client_env())
    check.must(result.status == 0, repr(result))
    check_first(check, result, spans)


def test_the_same_where_the_server_is_seen(check):
    tracer = spantap.Spantap(str(PROVIDER.pid), command="attach")
    asked = subprocess.run(ask_first(), env=fake.client_env(), timeout=60)
    result = tracer.stop()
    check.equal(asked.returncode, 0, "the client's exit status")
    check_first(check, result, tracer.spans())


def test_ollama_means_what_the_wire_said(check):
    experiment_spans = spantap.run(
        [sys.executable, os.path.join(CLIENTS, "steps.py"), f"127.0.0.1:{PROVIDER.plain_port}"],
        stdin=b"stream /x/events=25,size=40/api/chat mean-1 2\nrest\n",
        env=fake.client_env(),
    )[1]
    check.must(len(experiment_spans) == 1, f"{len(experiment_spans)} spans")
    attributes, truth = experiment_spans[0]["attributes"], PROVIDER.truth()[-1]
    check.equal(attributes.get("gen_ai.usage.input_tokens"), 26, "input tokens")
    check.equal(attributes.get("gen_ai.usage.output_tokens"), 25, "output tokens")
    check.equal(attributes.get("gen_ai.response.finish_reasons"), ["stop"], "finish reasons")
    check.equal(attributes.get("spantap.stream.events"), truth["pieces"], "events")
    check.equal(
        wire.known(bytes=attributes.get("http.response.body.size")), {"bytes": truth["response_bytes"]}, "bytes"
    )


if __name__ == "__main__":
    tap.main(sys.modules[__name__], setup)
