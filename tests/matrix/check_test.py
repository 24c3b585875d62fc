#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The matrix can fail: each single difference between a span and the truth is told, and a row waits for its decoder only."""

import copy
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import paths, proc, tap  # noqa: E402
from matrix import matrix_test, rows  # noqa: E402

TRUTH = {
    "dialect": "openai.chat",
    "model": "m",
    "request_bytes": 10,
    "request_stream_bytes": 20,
    "response_bytes": 30,
    "response_stream_bytes": 50,
    "response_tail_bytes": 2,
    "response_tail_stream_bytes": 7,
    "usage": [1200, 5],
    "text_sha": matrix_test.sha("hello"),
    "text_length": 5,
    "tools": [["f", {"a": 1}]],
}
PARTS = [{"type": "text", "content": "hello"}, {"type": "tool_call", "name": "f", "arguments": {"a": 1}}]
ATTRIBUTES = {
    "spantap.dialect": "openai.chat",
    "spantap.complete": True,
    "spantap.end": "complete",
    "gen_ai.response.model": "m",
    "http.request.body.size": 10,
    "http.response.body.size": 30,
    "spantap.request.stream_bytes": 20,
    "spantap.response.stream_bytes": 50,
    "gen_ai.usage.input_tokens": 1200,
    "gen_ai.usage.output_tokens": 5,
    "gen_ai.output.messages": json.dumps([{"role": "assistant", "parts": PARTS}]),
}


def broken(truth=None, **attributes):
    inner = tap.Check()
    span = {"attributes": dict(ATTRIBUTES, **{name.replace("__", "."): v for name, v in attributes.items()})}
    matrix_test.check_span(inner, "x", span, dict(TRUTH, **(truth or {})))
    return inner.broken


def test_a_span_that_says_what_was_sent_passes(check):
    check.equal(broken(), [], "what is broken")
    check.equal(broken(http__response__body__size=28, spantap__response__stream_bytes=43), [], "left before the tail")


def test_every_single_difference_is_told(check):
    for name, value in ATTRIBUTES.items():
        wrong = not value if isinstance(value, bool) else value - 8 if isinstance(value, int) else "[]"
        check.equal(len(broken(**{name: wrong})) > 0, True, f"{name} = {wrong!r} is told")
    check.equal(len(broken({"tools": []})), 1, "a tool that nobody called")


def test_what_the_front_sent_is_compared_with_its_own_log(check):
    truth = dict(TRUTH, http="1.1", encoding=None)
    passed = {"http": "HTTP/1.1", "coding": "gzip", "request": 21, "response": 51, "body": 31}
    there = matrix_test.at_front(truth, passed)
    check.equal((there["http"], there["encoding"]), ("1.1", "gzip"), "version and coding")
    check.equal((there["request_stream_bytes"], there["response_stream_bytes"]), (21, 51), "sizes on its connection")
    there = matrix_test.at_front(truth, dict(passed, http="HTTP/2.0", coding=""))
    check.equal((there["http"], there["encoding"]), ("2", None), "version and coding of HTTP/2")
    check.equal(there["request_stream_bytes"], None, "frames are not counted")
    check.equal(there["response_bytes"], truth["response_bytes"], "the body is the provider's")
    there = matrix_test.at_front(truth, dict(passed, http="HTTP/2.0"))
    check.equal(there["response_bytes"], 31, "unless the front compressed it")


def test_no_span_is_taken_for_two_calls(check):
    def span(model, begin):
        return {"startTimeUnixNano": str(begin), "attributes": {"url.path": "/p", "gen_ai.request.model": model}}

    found = matrix_test.Found([span("b", 2), span("a", 1)])
    check.equal(found.take({"target": "/p?x", "model": "b"})["startTimeUnixNano"], "2", "of the same model")
    check.equal(found.take({"target": "/p", "model": "b"})["startTimeUnixNano"], "1", "what is left")
    check.equal(found.take({"target": "/p", "model": "b"}), None, "nothing is left")


def test_a_row_waits_until_its_decoder_is_in_the_source(check):
    top, old = proc.scratch("tree"), paths.TOP
    paths.TOP = top

    waits = rows.undecoded
    go = rows.Client("x", "Go", "x", ("tls h1", "plain h1"))

    def put(path, text=""):
        os.makedirs(os.path.dirname(os.path.join(top, path)), exist_ok=True)
        with open(os.path.join(top, path), "w") as f:
            f.write(text)

    try:
        put("user/proto/http1.c")
        put("user/dialect/openai_chat.c", '.name = "openai.chat"')
        check.equal(waits("tls h1", "openai.chat"), None, "HTTP/1.1")
        check.that(waits("tls h2", "openai.chat"), "HTTP/2 waits")
        put("user/proto/http2.c")
        check.equal(waits("tls h2", "openai.chat"), None, "HTTP/2")
        check.that(waits("tls h1", "gemini"), "Gemini waits")
        put("user/dialect/gemini.c", '.name = "gemini.generate_content"')
        check.equal(waits("tls h1", "gemini"), None, "Gemini")
        put("user/dialect/bedrock.c", '.name = "bedrock.converse"')
        check.that(waits("tls h1", "bedrock.converse"), "Bedrock waits for its event stream")
        put("user/proto/event_stream.c")
        check.equal(waits("tls h1", "bedrock.converse"), None, "Bedrock")
        check.that(waits("plain grpc", "openai.chat"), "gRPC waits")
        check.equal([go.at_server(c) for c in go.carriers], [True, False], "Go's TLS is read at the server")
        put("bpf/tls_go.bpf.c")
        check.equal(go.at_server("tls h1"), False, "Go's TLS is read in Go")
    finally:
        paths.TOP = old


def test_every_row_has_a_pinned_version(check):
    for client in rows.CLIENTS:
        check.that(client.version() != "?", f"no version of {client.title}")
        check.that(copy.copy(client).command()[1], f"no command of {client.title}")


if __name__ == "__main__":
    tap.main(sys.modules[__name__])
