#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What OpenAI's API does beside chatting, by its own SDK: sound, uploads, fetched and compacted responses, runs. Each is one
span with its meaning and no sound in it; jobs and cancelled responses are none."""

import base64
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import fake, paths, spantap, tap  # noqa: E402
from harness.steps import CLIENTS  # noqa: E402

SOUND = bytes(range(256)) * 100
USAGE = {"input_tokens": 5, "output_tokens": 2, "total_tokens": 7}
RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "status": "completed",
    "model": "m-1",
    "output": [{"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": "Paris."}]}],
    "usage": USAGE,
}
RUN = {"id": "run_1", "object": "thread.run", "assistant_id": "asst_1", "thread_id": "thread_1", "model": "m-1"}
MESSAGE = {
    "id": "msg_1",
    "object": "thread.message",
    "role": "assistant",
    "status": "completed",
    "content": [{"type": "text", "text": {"value": "Paris.", "annotations": []}}],
}


def stream(*events):
    """Server-sent events with or without a name."""
    head = {"content-type": "text/event-stream"}
    chunks = [(f"event: {name}\n" if name else "") + f"data: {json.dumps(data)}\n\n" for name, data in events]
    return [{"status": 200, "headers": head, "chunks": chunks + ["event: done\ndata: [DONE]\n\n"]}]


def whole(body, kind="application/json"):
    body = {"base64": base64.b64encode(body).decode()} if isinstance(body, bytes) else body
    return [{"status": 200, "headers": {"content-type": kind}, "body": body}]


SCRIPT = {
    "speech": whole(SOUND, "audio/mpeg"),
    "words": whole({"text": "Said.", "usage": {"type": "duration", "seconds": 3}}),
    "srt": whole("1\n00:00 --> 00:01\nSaid.\n", "text/plain; charset=utf-8"),
    "pieces": stream(
        (None, {"type": "transcript.text.delta", "delta": "Sa"}),
        (None, {"type": "transcript.text.done", "text": "Said.", "usage": {"type": "tokens", **USAGE}}),
    ),
    "picture": whole({"created": 1, "data": [{"b64_json": "AA=="}], "usage": USAGE}),
    "fetched": whole(RESPONSE),
    "compact": whole({**RESPONSE, "object": "response.compaction"}),
    "run": stream(
        ("thread.run.created", {**RUN, "status": "queued"}),
        ("thread.message.completed", MESSAGE),
        ("thread.run.completed", {**RUN, "status": "completed", "usage": {"prompt_tokens": 5, "completion_tokens": 2}}),
    ),
    "cancel": whole({**RESPONSE, "status": "cancelled"}),
    "batch": whole({"id": "batch_1", "object": "batch", "status": "validating"}),
}

WANTED = {  # dialect, operation, input tokens, a word of the output
    "speech": ("openai.speech", "text_to_speech", None, str(len(SOUND))),
    "words": ("openai.transcriptions", "transcription", None, "Said."),
    "srt": ("openai.transcriptions", "transcription", None, "Said."),
    "pieces": ("openai.transcriptions", "transcription", 5, "Said."),
    "picture": ("openai.images", "generate_content", 5, None),
    "fetched": ("openai.responses", "fetch_response", None, "Paris."),
    "compact": ("openai.responses", "compact", 5, "Paris."),
    "run": ("openai.assistants", "invoke_agent", 5, "Paris."),
}

SPANS, RESULT = {}, None


def test_the_sdk_runs(check):
    global RESULT
    provider = fake.Provider(SCRIPT)
    RESULT, spans = spantap.run(
        [paths.CLIENT_PYTHON, os.path.join(CLIENTS, "openai_beside.py"), f"https://localhost:{provider.tls_port}"],
        env=fake.client_env(),
    )
    check.must(RESULT.status == 0, repr(RESULT))
    for span in filter(spantap.is_model_call, spans):
        case = span["attributes"]["url.path"].split("case=")[1].split("/")[0]
        SPANS.setdefault(case, []).append(span)
    check.equal(spantap.balanced(RESULT.summary), 0, "difference of the ledger")


def test_each_call_is_one_span(check):
    check.equal({case: len(spans) for case, spans in SPANS.items()}, {case: 1 for case in WANTED}, "spans")


def test_spans_say_what_was_done(check):
    for case, (dialect, operation, tokens, word) in WANTED.items():
        attributes = SPANS[case][0]["attributes"] if case in SPANS else {}
        check.equal(attributes.get("spantap.dialect"), dialect, f"dialect of {case}")
        check.equal(attributes.get("gen_ai.operation.name"), operation, f"operation of {case}")
        check.equal(attributes.get("gen_ai.usage.input_tokens"), tokens, f"input of {case}")
        check.equal(attributes.get("spantap.complete"), True, f"completeness of {case}")
        said = attributes.get("gen_ai.output.messages") or ""
        check.that(word is None or word in said, f"{word} in the output of {case}: {said[:200]}")


def test_uploads_are_named(check):
    for case, model in (("words", "whisper-x"), ("pieces", "gpt-x"), ("picture", "gpt-image-x")):
        attributes = SPANS[case][0]["attributes"] if case in SPANS else {}
        check.equal(attributes.get("gen_ai.request.model"), model, f"model of {case}")
    check.equal(SPANS["words"][0]["attributes"].get("spantap.audio.seconds"), 3.0, "seconds that were billed")


if __name__ == "__main__":
    tap.main(sys.modules[__name__], spantap.need_spantap)
