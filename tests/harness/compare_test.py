#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The comparison itself must be able to fail: every planted difference is found, and only what a rule names is let
through."""

import copy
import os
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [TESTS, os.path.join(TESTS, "parity")]
import allowed  # noqa: E402
from harness import compare, tap, wire  # noqa: E402

TRACE = {
    "info": {
        "trace_id": "tr-1",
        "request_time": "2026-01-01T00:00:00Z",
        "state": "OK",
        "request_preview": "Hi",
        "response_preview": "Hello",
        "trace_metadata": {"mlflow.trace.tokenUsage": '{"input_tokens": 9, "output_tokens": 2, "total_tokens": 11}'},
        "tags": {"mlflow.traceName": "Completions"},
    },
    "spans": [
        {
            "trace_id": "1",
            "span_id": "a",
            "parent_span_id": None,
            "name": "Completions",
            "start_time_unix_nano": 1,
            "end_time_unix_nano": 2,
            "status": {"code": "STATUS_CODE_OK", "message": ""},
            "links": [],
            "events": [
                {
                    "name": "mlflow.chunk.item.0",
                    "time_unix_nano": 1,
                    "attributes": {"mlflow.chunk.value": '{"id": "c", "usage": null}'},
                }
            ],
            "attributes": {
                "mlflow.spanType": "CHAT_MODEL",
                "mlflow.spanLogLevel": 20,
                "temperature": 0.2,
                "mlflow.spanInputs": {"model": "m", "messages": [{"role": "user", "content": "Hi"}]},
                "mlflow.spanOutputs": {"choices": [{"index": 0, "message": {"content": "Hello", "refusal": None}}]},
                "mlflow.chat.tokenUsage": {"input_tokens": 9, "output_tokens": 2, "total_tokens": 11},
            },
        }
    ],
}


def leaves_of(value, path=()):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from leaves_of(inner, path + (key,))
    elif isinstance(value, list):
        for i, inner in enumerate(value):
            yield from leaves_of(inner, path + (i,))
    else:
        yield path, value


def changed(path, value):
    trace = copy.deepcopy(TRACE)
    place = trace
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return trace


def differences(ours, theirs=TRACE, case="chat"):
    return compare.compare(case, theirs, ours, allowed.RULES).differences


def test_a_trace_equals_itself(check):
    check.equal(differences(copy.deepcopy(TRACE)), [], "differences")
    check.that(compare.compare("chat", TRACE, TRACE, []).compared >= 15, "fewer leaves compared than there are")


def test_every_leaf_that_changes_is_found_or_named_by_a_rule(check):
    volatile = {"trace_id", "request_time", "span_id", "start_time_unix_nano", "end_time_unix_nano", "time_unix_nano"}
    for path, value in leaves_of(TRACE):
        other = (
            value + 1
            if isinstance(value, (int, float))
            else None
            if value is None
            else value.replace("{", '{"x": 1, ')
            if value.startswith("{")
            else value + "x"
        )
        if value is None or path[-1] in volatile:
            continue
        check.that(differences(changed(path, other)), f"a change of {path} went unseen")


def test_what_is_lost_added_or_doubled_is_found(check):
    for what, change in (
        ("an event less", lambda t: t["spans"][0]["events"].clear()),
        (
            "a span more",
            lambda t: t["spans"].append(dict(copy.deepcopy(t["spans"][0]), span_id="b", parent_span_id="a")),
        ),
        ("no outputs", lambda t: t["spans"][0]["attributes"].pop("mlflow.spanOutputs")),
        ("an attribute nobody allowed", lambda t: t["spans"][0]["attributes"].update(verbosity="high")),
        ("a number that became text", lambda t: t["spans"][0]["attributes"].update(temperature="0.2")),
        ("true for 1", lambda t: t["spans"][0]["attributes"].update({"mlflow.spanLogLevel": True})),
        (
            "a usage key more",
            lambda t: t["spans"][0]["attributes"]["mlflow.chat.tokenUsage"].update(cache_read_input_tokens=0),
        ),
    ):
        ours = copy.deepcopy(TRACE)
        change(ours)
        check.that(differences(ours), f"{what} went unseen")


def test_nulls_order_and_what_only_the_kernel_knows_are_no_difference(check):
    ours = copy.deepcopy(TRACE)
    attributes = ours["spans"][0]["attributes"]
    attributes.update(
        {"spantap.complete": True, "http.response.status_code": 200, "process.pid": 7, "gen_ai.operation.name": "chat"}
    )
    attributes["mlflow.spanOutputs"]["choices"][0]["message"] = {"tool_calls": None, "content": "Hello"}
    check.equal(differences(ours), [], "differences")


def test_a_rule_for_one_case_is_none_for_another(check):
    ours = copy.deepcopy(TRACE)
    ours["spans"][0]["attributes"]["mlflow.spanInputs"]["encoding_format"] = "base64"
    check.equal(differences(ours, case="embeddings_list"), [], "differences in the case that the rule is for")
    check.that(differences(ours, case="chat"), "the rule reached another case")


def test_the_wire_is_read_the_same_from_stream_and_body(check):
    stream = "".join(
        f"data: {d}\n\n"
        for d in (
            '{"id":"c","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":"He"}}]}',
            '{"id":"c","model":"m","choices":[{"index":0,"delta":{"content":"llo"},"finish_reason":"stop"}]}',
            '{"id":"c","model":"m","choices":[],"usage":{"prompt_tokens":9,"completion_tokens":2,"total_tokens":11}}',
            "[DONE]",
        )
    )
    body = {
        "id": "c",
        "model": "m",
        "choices": [{"index": 0, "message": {"content": "Hello"}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11},
    }
    check.equal(
        wire.meaning("/v1/chat/completions", 200, stream), wire.meaning("/v1/chat/completions", 200, body), "meaning"
    )


if __name__ == "__main__":
    tap.main(sys.modules[__name__])
