#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Recorded sockets of real providers, played again through a real WebSocket with and without compression: each turn must
be one span, with the model, usage, text or transcript and tool calls that the recording tells.

  ws_recordings_test.py [DIRECTORY]      runs itself under the Python that has YAML
"""

import glob
import json
import os
import subprocess
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, TESTS)
from harness import fake, paths, proc, spantap, tap, wire  # noqa: E402

PATHS = {
    "test_openai_ws": "/v1/realtime",
    "test_azure_ws": "/openai/v1/realtime",
    "test_xai_ws": "/v1/realtime",
    "test_google_ws": "/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent",
    "responses": "/v1/responses",
}
PLAYER = os.path.join(TESTS, "recordings", "ws_player.py")
KEYS = ("id", "model", "input", "output", "text", "tools", "asked")


# ---- what a recording means ----


def words(message):
    return json.loads(message["text"]) if isinstance(message, dict) else message


def realtime_turns(messages):
    """One for each response.done."""
    model, said = None, []
    for who, data in messages:
        kind = data.get("type")
        model = (data.get("session") or {}).get("model") or model
        if who == "s" and kind == "conversation.item.create":
            said += [c["text"] for c in data["item"].get("content", []) if c.get("text")]
        if kind == "response.created":
            asked, said = said, []
        if kind != "response.done":
            continue
        response = data["response"]
        usage = response.get("usage") or data.get("usage") or {}
        blocks = [c for item in response["output"] for c in item.get("content", [])]
        yield {
            "id": response["id"],
            "model": model,
            "input": usage.get("input_tokens"),
            "output": usage.get("output_tokens"),
            "text": [c.get("text") or c.get("transcript") for c in blocks],
            "tools": [
                (i["name"], json.loads(i["arguments"])) for i in response["output"] if i["type"] == "function_call"
            ],
            "asked": asked,
        }


def live_turns(messages):
    """One up to each turnComplete or toolCall."""
    model, text, asked = None, "", []
    for who, data in messages:
        if "setup" in data:
            model = data["setup"]["model"].removeprefix("models/")
        for turn in data.get("client_content", {}).get("turns", []):
            asked += [p["text"] for p in turn["parts"]]
        content = data.get("serverContent", {})
        text += content.get("outputTranscription", {}).get("text", "")
        tools = [(c["name"], c["args"]) for c in data.get("toolCall", {}).get("functionCalls", [])]
        if not tools and not content.get("turnComplete"):
            continue
        usage = data.get("usageMetadata", {})
        output = usage.get("responseTokenCount")
        yield {
            "id": None,
            "model": model,
            "input": usage.get("promptTokenCount"),
            "output": output + usage.get("thoughtsTokenCount", 0) if output is not None else None,
            "text": [text] if text else [],
            "tools": tools,
            "asked": asked,
        }
        text, asked = "", []


def responses_turns(messages):
    for who, data in messages:
        if data.get("type") != "response.completed":
            continue
        response = data["response"]
        yield {
            "id": response["id"],
            "model": response["model"],
            "input": response["usage"]["input_tokens"],
            "output": response["usage"]["output_tokens"],
            "text": ["".join(c["text"] for i in response["output"] for c in i.get("content") or [] if c.get("text"))],
            "tools": [
                (i["name"], json.loads(i["arguments"])) for i in response["output"] if i["type"] == "function_call"
            ],
            "asked": None,
        }


TURNS = {"test_google_ws": live_turns, "responses": responses_turns}


# ---- jobs ----


def sockets_of(path):
    """A recording may hold several connections, one after the other."""
    import yaml

    with open(path) as f:
        entries = yaml.safe_load(f)["interactions"]
    socket = []
    for entry in entries:
        if entry["kind"] == "message":
            socket.append(("s" if entry["direction"] == "sent" else "r", entry["data"]))
        elif socket:
            yield socket
            socket = []
    if socket:
        yield socket


def recorded(directory):
    for path in sorted(glob.glob(os.path.join(directory, "**", "test_*_ws", "*.yaml"), recursive=True)):
        group = os.path.basename(os.path.dirname(path))
        for socket in sockets_of(path):
            yield group, f"{group}/{os.path.basename(path)}", socket


def streamed(directory):
    """Recorded streams of Responses over HTTP, as they would have come over a socket: four turns a socket."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    turns = []
    for path in sorted(glob.glob(os.path.join(directory, "**", "test_openai_responses", "*stream*.yaml"), recursive=True)):
        with open(path) as f:
            entries = yaml.load(f, loader)["interactions"]
        for entry in entries:
            body = entry["response"].get("body") or {}
            text, ask = body.get("string") or "", entry["request"].get("parsed_body")
            if not isinstance(text, str) or "event: response.completed" not in text or not isinstance(ask, dict):
                continue
            events = wire.events_of(text)
            ask = {k: v for k, v in ask.items() if k != "stream"}
            turns.append([("s", {"type": "response.create", **ask})] + [("r", e) for e in events])
    for i in range(0, len(turns), 4):
        yield "responses", f"responses/{i}", [m for turn in turns[i : i + 4] for m in turn]


def jobs_of(sockets):
    return [
        {
            "path": PATHS[group],
            "deflate": deflate,
            "binary": group == "test_google_ws",
            "messages": [[who, json.dumps(data, ensure_ascii=False)] for who, data in socket],
            "name": f"{name} {'compressed' if deflate else 'plain'}",
            "group": group,
            "wanted": list(TURNS.get(group, realtime_turns)(socket)),
        }
        for deflate in (False, True)
        for group, name, socket in sockets
    ]


def play(check, jobs):
    directory = proc.scratch("sockets")
    path = os.path.join(directory, "jobs.json")
    with open(path, "w") as f:
        json.dump(jobs, f)
    ca, cert, key = fake.certs.make(paths.CERTS)
    server = proc.Process(
        [paths.CLIENT_PYTHON, PLAYER, "serve", cert, key, path],
        "server",
        stdout=subprocess.PIPE,
        log=os.path.join(directory, "log"),
    )
    port = proc.read_line(server.popen.stdout.fileno(), 20, "server")
    result, spans = spantap.run(
        [paths.CLIENT_PYTHON, PLAYER, "dial", str(port), ca, path], env=fake.client_env(), timeout=200
    )
    server.popen.stdout.close()
    server.stop()
    check.must(result.status == 0, repr(result))
    found = {}
    for span in spans:
        target = span["attributes"].get("url.path", "")
        if spantap.is_model_call(span) and "case=" in target:
            found.setdefault(int(target.split("case=")[1].split("/")[0]), []).append(span)
    check.equal(spantap.balanced(result.summary), 0, "difference of the ledger")
    return found


def seen_in(span):
    attributes = span["attributes"]
    parts = wire.of_parts(attributes)
    inputs = json.loads(attributes.get("gen_ai.input.messages") or "[]")
    return {
        "id": attributes.get("gen_ai.response.id"),
        "model": attributes.get("gen_ai.response.model") or attributes.get("gen_ai.request.model"),
        "input": attributes.get("gen_ai.usage.input_tokens"),
        "output": attributes.get("gen_ai.usage.output_tokens"),
        "text": parts.get("text") or [],
        "tools": parts.get("tools") or [],
        "asked": [p["content"] for m in inputs for p in m["parts"] if p["type"] == "text" and m["role"] != "tool"],
    }


def misses_of(wanted, spans):
    if len(spans) != len(wanted):
        return [f"{len(spans)} spans instead of {len(wanted)}"]
    out = []
    for number, (want, span) in enumerate(zip(wanted, sorted(spans, key=lambda s: int(s["endTimeUnixNano"])))):
        seen = seen_in(span)
        if span["attributes"].get("spantap.complete") is not True:
            out.append(f"turn {number} is not complete")
        for key in KEYS:
            left, right = want[key], seen[key]
            if key in ("text", "asked"):
                left, right = "".join(left or []), "".join(right or [])
            if key == "tools":
                left, right = [list(t) for t in left], [list(t) for t in right]
            if want[key] is not None and left != right and not (key == "asked" and str(left) in str(right)):
                out.append(f"turn {number}: {key} {tap.short(right, 200)} instead of {tap.short(left, 200)}")
    return out


def main():
    directory, lines = sys.argv[1] if len(sys.argv) > 1 else paths.RECORDINGS, tap.Tap()
    with lines.whole("recorded sockets"):
        if not os.path.isdir(directory):
            raise tap.Skip(f"no recordings in {directory}; SPANTAP_RECORDINGS names the place")
        spantap.need_spantap()
        jobs, spans = jobs_of(list(recorded(directory)) + list(streamed(directory))), {}
        lines.run("recorded_sockets_go_over_the_wire", lambda check: spans.update(play(check, jobs)))

        def group(check, name):
            own = [(i, job) for i, job in enumerate(jobs) if job["group"] == name]
            good = 0
            for i, job in own:
                misses = misses_of(job["wanted"], spans.get(i, []))
                good += not misses
                check.that(not misses, f"{job['name']}: {'; '.join(misses)}")
            turns = sum(len(job["wanted"]) for _, job in own)
            check.note(f"{good} of {len(own)} sockets with {turns} turns decoded exactly")

        for name in sorted({job["group"] for job in jobs}):
            lines.run(f"{name}_gives_one_span_a_turn", group, name)
    return lines.end()


if __name__ == "__main__":
    proc.need_packages("yaml")
    sys.exit(main())
