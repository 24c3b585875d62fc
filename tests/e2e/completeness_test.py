#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every call, every byte, every character: what spantap captured against what the clients themselves counted."""

import hashlib
import json
import os
import re
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import fake, paths, proc, spantap, tap  # noqa: E402

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "clients")
TAG = re.compile(r"\[([a-z]+-\d+)\]")
PROVIDER = None


def setup():
    global PROVIDER
    spantap.need_spantap()
    PROVIDER = fake.Provider()


def python(name):
    return [paths.CLIENT_PYTHON, os.path.join(HERE, name)]


CLIENTS = {
    "requests": lambda: python("sync_requests.py"),
    "httpx": lambda: python("async_httpx.py"),
    "aiohttp": lambda: python("async_aiohttp.py"),
    "node": lambda: [shutil.which("node") or "node", os.path.join(HERE, "fetch.mjs")],
    "curl": lambda: [sys.executable, os.path.join(HERE, "curl.py")],
}


def text_of(span):
    """The assistant's text, from the messages that the otlp sinks carry."""
    out = []
    for message in json.loads(span["attributes"].get("gen_ai.output.messages", "[]")):
        out += [part.get("content", "") for part in message.get("parts", []) if part.get("type") == "text"]
    return "".join(out)


def prompt_of(span):
    """The user's text, from the same."""
    out = []
    for message in json.loads(span["attributes"].get("gen_ai.input.messages", "[]")):
        out += [part.get("content", "") for part in message.get("parts", []) if part.get("type") == "text"]
    return "".join(out)


def tag_of(span):
    found = TAG.search(span["attributes"].get("gen_ai.input.messages", ""))
    return found[1] if found else None


def run(check, client, count, prompt, stream, options, *args):
    """The calls, each as its client counted it, and the spans, each by its tag."""
    PROVIDER.forget()
    url = PROVIDER.url(**options) + "/v1/chat/completions"
    command = CLIENTS[client]() + [url, str(count), str(prompt), "1" if stream else "0", client]
    env = fake.client_env(SCRATCH=proc.scratch("curl"))
    result, spans = spantap.run(command, *args, env=env, timeout=150)
    check.must(result.status == 0, f"the client failed: {result}")
    made = {
        call["tag"]: call
        for call in map(json.loads, filter(lambda line: line.startswith("{"), result.stdout.splitlines()))
    }
    check.must(len(made) == count, f"the client itself made {len(made)} calls of {count}")
    return made, [s for s in spans if spantap.is_model_call(s)], result


def check_complete(check, made, spans, result, text_sha, events=None):
    by_tag = {}
    for span in spans:
        by_tag.setdefault(tag_of(span), []).append(span)
    check.equal(sorted(map(str, by_tag)), sorted(made), "tags captured")
    check.equal(len(spans), len(made), "calls captured")
    for tag, call in made.items():
        for span in by_tag.get(tag, []):
            attributes = span["attributes"]
            check.equal(attributes.get("spantap.complete"), True, f"spantap.complete of {tag}")
            check.equal(attributes.get("http.request.body.size"), call["request_bytes"], f"request's bytes of {tag}")
            check.equal(attributes.get("http.response.body.size"), call["response_bytes"], f"answer's bytes of {tag}")
            check.equal(hashlib.sha256(text_of(span).encode()).hexdigest(), text_sha, f"text of {tag}")
            if events:
                check.equal(attributes.get("spantap.stream.events"), events, f"events of {tag}")
    for side in ("request", "response"):
        captured = sum(span["attributes"].get(f"http.{side}.body.size", 0) for span in spans)
        counted = sum(call[f"{side}_bytes"] for call in made.values())
        check.equal(captured, counted, f"{side} bytes captured")
        check.note(f"{side} bytes captured ÷ made = {captured / counted:.6f} ({captured})")
    check.equal(result.summary["calls"], len(made), "calls of the summary")
    check.equal(result.summary["incomplete"], 0, "incomplete calls of the summary")
    check.equal(spantap.balanced(result.summary), 0, "difference of the ledger")


def streams(check, client):
    made, spans, result = run(check, client, 64, 200, True, {"events": 300, "size": 20})
    sha = PROVIDER.truth()[-1]["text_sha"]
    # 300 pieces of text, the role before them, the finish reason after them; [DONE] is not counted.
    check_complete(check, made, spans, result, sha, 302)


def test_64_streams_of_300_events_from_python_requests(check):
    streams(check, "requests")


def test_64_streams_of_300_events_from_python_httpx(check):
    streams(check, "httpx")


def test_64_streams_of_300_events_from_python_aiohttp(check):
    streams(check, "aiohttp")


def test_64_streams_of_300_events_from_node_fetch(check):
    streams(check, "node")


def test_64_streams_of_300_events_from_curl(check):
    streams(check, "curl")


def big(check, client):
    """A prompt of 4 MB and an answer of 4 MB, twice at once."""
    made, spans, result = run(check, client, 2, 2_800_000, False, {"events": 1000, "size": 4200})
    check.that(
        all(call["request_bytes"] > 4_000_000 and call["response_bytes"] > 4_000_000 for call in made.values()),
        "the calls are small",
    )
    check_complete(check, made, spans, result, PROVIDER.truth()[-1]["text_sha"])
    for span in spans:
        asked = f"[{tag_of(span)}] " + "p\u00e9" * 1_400_000
        check.that(prompt_of(span) == asked, f"the prompt of {tag_of(span)} is not what was asked")


def test_4_mb_prompt_and_answer_from_python_requests(check):
    big(check, "requests")


def test_4_mb_prompt_and_answer_from_python_httpx(check):
    big(check, "httpx")


def test_4_mb_prompt_and_answer_from_python_aiohttp(check):
    big(check, "aiohttp")


def test_4_mb_prompt_and_answer_from_node_fetch(check):
    big(check, "node")


def test_4_mb_prompt_and_answer_from_curl(check):
    big(check, "curl")


def test_compressed_streams_count_as_they_travelled(check):
    for coding in ("gzip", "br", "zstd", "deflate"):
        made, spans, result = run(check, "httpx", 8, 100, True, {"events": 100, "enc": coding})
        check_complete(check, made, spans, result, PROVIDER.truth()[-1]["text_sha"], 102)


if __name__ == "__main__":
    tap.main(sys.modules[__name__], setup)
