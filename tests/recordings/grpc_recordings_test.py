#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Recorded gRPC calls on the wire again, between a real grpcio client and a real grpcio server, one after another and all
at once on one connection, as they were and compressed. What spantap says of them must be what the recording's own JSON says.

  grpc_recordings_test.py [DIRECTORY]      runs itself under the Python that has grpcio
"""

import base64
import glob
import json
import os
import subprocess
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, TESTS)
from harness import fake, paths, proc, spantap, tap, wire  # noqa: E402

PYTHON = os.path.join(paths.BUILD, "venv-grpc", "bin", "python")
PLAYER = os.path.join(TESTS, "recordings", "grpc_player.py")
METHODS = {False: "/xai_api.Chat/GetCompletion", True: "/xai_api.Chat/GetCompletionChunk"}
CLIENT_SIDE = (None, "TOOL_CALL_TYPE_INVALID", "TOOL_CALL_TYPE_CLIENT_SIDE_TOOL")


def merged(chunks):
    """The answer that the chunks of a stream add up to, as xAI's own client would put it together."""
    answer, outputs = {}, {}
    for chunk in chunks:
        answer.update({k: v for k, v in chunk.items() if k != "outputs"})
        for piece in chunk.get("outputs") or []:
            message = outputs.setdefault(piece.get("index", 0), {"message": {"tool_calls": []}})
            delta = piece.get("delta") or {}
            for name in ("content", "reasoning_content"):
                message["message"][name] = message["message"].get(name, "") + delta.get(name, "")
            message["message"]["tool_calls"] += delta.get("tool_calls") or []
            message["finish_reason"] = piece.get("finish_reason") or message.get("finish_reason")
    answer["outputs"] = [outputs[index] for index in sorted(outputs)]
    return answer


def usage_of(usage):
    output, reasoning = usage.get("completion_tokens", 0), usage.get("reasoning_tokens", 0)
    if usage.get("total_tokens") == usage.get("prompt_tokens", 0) + output + reasoning:
        output += reasoning
    return {"input": usage.get("prompt_tokens", 0), "output": output}


def meaning_of(answer):
    messages = [o.get("message") or {} for o in answer["outputs"]]
    said = [m for m in messages if m.get("role") != "ROLE_TOOL"]
    calls = [t for m in messages for t in m.get("tool_calls") or []]
    return wire.known(
        model=answer.get("model"),
        id=answer.get("id"),
        usage=usage_of(answer.get("usage") or {}),
        finish=[o["finish_reason"] for o in answer["outputs"] if o.get("finish_reason")],
        text=[m["content"] for m in said if m.get("content")],
        reasoning="".join(m.get("reasoning_content") or "" for m in said),
        tools=[
            (t["function"]["name"], wire.arguments(t["function"].get("arguments")))
            for t in calls
            if t.get("type") in CLIENT_SIDE
        ],
        steps=sorted({t["id"] for t in calls if t.get("type") not in CLIENT_SIDE}),
        cached=(answer.get("usage") or {}).get("cached_prompt_text_tokens"),
        cost=int((answer.get("usage") or {}).get("cost_in_usd_ticks") or 0),
    )


def asked_of(request):
    """Roles and texts of what was asked, and the names of tools."""
    tools = [t.get("function", {}).get("name") for t in request.get("tools") or [] if "function" in t]
    return {
        "roles": [m["role"].removeprefix("ROLE_").lower() for m in request["messages"]],
        "texts": [c["text"] for m in request["messages"] for c in m.get("content") or [] if "text" in c],
        "tools": tools,
    }


class Call:
    def __init__(self, name, entry):
        self.name, self.streams = name, "response_stream" in entry
        ask = entry.get("request_sample") or entry["request_stream"]
        told = entry.get("response_sample") or entry["response_stream"]
        raw = told["chunks_raw"] if self.streams else [told["raw"]]
        answer = merged([c.get("chunk", c) for c in told["chunks_json"]]) if self.streams else told["json"]
        self.model, self.asked, self.wanted = ask["json"].get("model"), asked_of(ask["json"]), meaning_of(answer)
        self.job = {
            "path": METHODS[self.streams],
            "request": base64.b64encode(ask["raw"]).decode(),
            "answers": [base64.b64encode(a).decode() for a in raw],
            "streams": self.streams,
        }


def load(directory):
    import yaml

    calls = []
    for path in sorted(glob.glob(os.path.join(directory, "**", "*.xai.yaml"), recursive=True)):
        with open(path) as f:
            document = yaml.load(f, getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        for number, entry in enumerate(document["interactions"]):
            calls.append(Call(f"{os.path.relpath(path, directory)}#{number}", entry))
    return calls


def play(check, jobs):
    """Jobs over the wire; the spans by the number of their job."""
    path = os.path.join(proc.scratch("jobs"), "jobs.json")
    with open(path, "w") as f:
        json.dump(jobs, f)
    server = proc.Process([PYTHON, PLAYER, "serve", path], "server", stdout=subprocess.PIPE)
    port = proc.read_line(server.popen.stdout.fileno(), 30, "the server's port")
    result, spans = spantap.run([PYTHON, PLAYER, "dial", port, path], env=fake.client_env(), timeout=120)
    server.stop()
    check.must(result.status == 0, repr(result))
    check.equal(spantap.balanced(result.summary), 0, "difference of the ledger")
    found = {}
    for span in spans:
        case = span["attributes"].get("spantap.request_id", "")
        if spantap.is_model_call(span) and case.startswith("case-"):
            found.setdefault(int(case[5:]), []).append((span, [s for s in spans if s.get("parentSpanId") == span["spanId"]]))
    return found


def asked_seen(attributes):
    messages = json.loads(attributes.get("gen_ai.input.messages") or "[]")
    parts = [p for m in messages for p in m["parts"]]
    tools = [t["name"] for t in json.loads(attributes.get("gen_ai.tool.definitions") or "[]") if "parameters" in t]
    return {
        "roles": [m["role"] for m in messages],
        "texts": [p["content"] if p["type"] == "text" else p["response"] for p in parts if p["type"] in ("text", "tool_call_response")],
        "tools": tools,
    }


def answer_seen(attributes, steps):
    messages = json.loads(attributes.get("gen_ai.output.messages") or "[]")
    seen = wire.of_parts(attributes)
    seen["reasoning"] = "".join(p["content"] for m in messages for p in m["parts"] if p["type"] == "reasoning")
    seen["steps"] = sorted(s["attributes"].get("gen_ai.tool.call.id") for s in steps)
    seen["cached"] = attributes.get("gen_ai.usage.cache_read.input_tokens")
    return wire.known(**seen)


def misses_of(call, found):
    if len(found) != 1:
        return [f"{len(found)} spans"]
    span, steps = found[0]
    attributes = span["attributes"]
    wanted = {k: v for k, v in call.wanted.items() if k != "cost"}
    facts = [
        ("complete", attributes.get("spantap.complete"), True),
        ("dialect", attributes.get("spantap.dialect"), "xai.grpc"),
        ("provider", attributes.get("gen_ai.provider.name"), "x_ai"),
        ("status", attributes.get("rpc.grpc.status_code"), 0),
        ("requested model", attributes.get("gen_ai.request.model"), call.model),
        ("events", attributes.get("spantap.stream.events"), len(call.job["answers"]) if call.streams else None),
        ("request", asked_seen(attributes), call.asked),
        ("answer", answer_seen(attributes, steps), wanted),
    ]
    return [f"{what}: {tap.short(got, 400)} instead of {tap.short(want, 400)}" for what, got, want in facts if got != want]


def one_pass(lines, calls, title, **changes):
    def test(check):
        found = play(check, [dict(call.job, **changes) for call in calls])
        bad = {call.name: why for i, call in enumerate(calls) if (why := misses_of(call, found.get(i, [])))}
        check.note(f"{len(calls) - len(bad)} of {len(calls)} decoded exactly")
        for name, why in bad.items():
            check.that(False, f"{name}: {'; '.join(why)}")

    lines.run(f"recordings_{title}_are_decoded_exactly", test)


def failures(lines, call):
    """Errors before an answer and behind half of one: gRPC's own status, with HTTP status 200."""

    def test(check):
        message = "team is out of credits: 100% used, sorry \u20ac"
        job = dict(call.job, status="RESOURCE_EXHAUSTED", message=message, streams=True, path=METHODS[True])
        found = play(check, [dict(job, answers=[]), dict(job, answers=job["answers"][:1])])
        for number in range(2):
            check.must(len(found.get(number, [])) == 1, f"{len(found.get(number, []))} spans of case {number}")
            span = found[number][0][0]
            attributes = span["attributes"]
            check.equal(span["status"].get("code"), 2, "status code of the span")
            check.equal(attributes.get("http.response.status_code"), 200, "HTTP status")
            check.equal(attributes.get("rpc.grpc.status_code"), 8, "gRPC status")
            check.equal(attributes.get("error.type"), "RESOURCE_EXHAUSTED", "error.type")
            raised = [e["attributes"].get("exception.message") for e in span["events"] if e["name"] == "exception"]
            check.equal(raised, [message], "exception.message")

    lines.run("a_grpc_status_is_the_error_of_its_span", test)


def main():
    directory, lines = sys.argv[1] if len(sys.argv) > 1 else paths.RECORDINGS, tap.Tap()
    with lines.whole("gRPC recordings"):
        if not os.path.isdir(directory):
            raise tap.Skip(f"no recordings in {directory}; SPANTAP_RECORDINGS names the place")
        if not os.access(PYTHON, os.X_OK):
            raise tap.Skip("no grpcio: run tests/setup/clients.sh grpc")
        spantap.need_spantap()
        calls = load(directory)
        lines.line(calls, f"{len(calls)} recorded calls can be read")
        one_pass(lines, calls, "as_recorded")
        one_pass(lines, calls, "all_at_once", together=True)
        one_pass(lines, calls, "compressed", gzip=True)
        failures(lines, next(call for call in calls if call.streams))
    return lines.end()


if __name__ == "__main__":
    proc.need_packages("yaml")
    sys.exit(main())
