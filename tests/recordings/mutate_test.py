#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Forms and mutants are what they say: every form decodes to the same body, a mutant is a valid answer of the same format
whose words follow its letters, and the same seed gives the same mutant."""

import base64
import json
import os
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, TESTS)
from harness import tap, wire, wire_bedrock  # noqa: E402

import forms  # noqa: E402
import mutate  # noqa: E402

SEEDS = range(300)
SSE = "text/event-stream"
FRAMES = "application/vnd.amazon.eventstream"
BODY = {
    "id": "chatcmpl-1",
    "model": "m",
    "choices": [
        {"index": 0, "message": {"role": "assistant", "content": "Name a tale.\nEnd"}, "finish_reason": "stop"}
    ],
    "usage": {"prompt_tokens": 3, "completion_tokens": 4},
}


def piece(text, **more):
    return {"id": "chatcmpl-1", "model": "m", "choices": [{"index": 0, "delta": {"content": text}, **more}]}


STREAM = [piece("Name a "), piece("tale.\nEn"), piece("d", finish_reason="stop")]


def sse(units):
    return "".join(f"data: {json.dumps(u)}\n\n" for u in units) + "data: [DONE]\n\n"


def mutants(body, kind):
    for seed in SEEDS:
        yield mutate.mutant(body, kind, seed)


def test_every_form_decodes_to_the_same_body(check):
    body = json.dumps(BODY).encode() * 90
    for form in forms.FORMS:
        coding = None if form.coding == "identity" else form.coding
        if coding and not forms.provider.coding_for(coding, ""):
            check.note(f"{coding} cannot be made here")
            continue
        entry = forms.answer_of(form, 200, "application/json", body, False, "id")
        coded = b"".join(base64.b64decode(c["base64"]) for c in entry.get("chunks") or [entry["body"]])
        check.equal(entry["headers"].get("content-encoding"), coding, f"coding of {form}")
        check.that(forms.provider.decoded(coded, coding) == body, f"the body of {form}")
        check.equal("chunks" in entry, form.cuts != "whole", f"pieces of {form}")


def test_short_bodies_travel_by_single_bytes(check):
    entry = forms.answer_of(forms.Form("1.1", "gzip", "bytes"), 200, "application/json", b"short", False, "id")
    check.equal([c["each"] for c in entry["chunks"]], [1], "size of a piece")


def test_a_seed_gives_one_mutant(check):
    body = json.dumps(BODY).encode()
    made = [m for m, _ in mutants(body, "application/json")]
    check.equal(made, [m for m, _ in mutants(body, "application/json")], "the second draw")
    check.that(len(set(made)) > 200, f"{len(set(made))} different mutants of {len(made)}")


def test_words_follow_the_letters(check):
    for made, mutation in mutants(json.dumps(BODY).encode(), "application/json"):
        found = wire.chat_body(json.loads(made))
        check.equal(found["text"], [mutate.translated("Name a tale.\nEnd", mutation.letters)], f"text of {mutation}")
        check.equal("usage" in found, not mutation.no_usage, f"usage of {mutation}")
        check.equal(found["finish"], [mutation.reason or "stop"], f"reason of {mutation}")


def test_pieces_and_the_whole_stay_in_step(check):
    for made, mutation in mutants(sse(STREAM).encode(), SSE):
        found = wire.meaning("/v1/chat/completions", 200, made.decode())
        check.equal(found["text"], [mutate.translated("Name a tale.\nEnd", mutation.letters)], f"text of {mutation}")


def test_the_framing_of_events_varies(check):
    made = [m for m, _ in mutants(sse(STREAM).encode(), SSE)]
    for what, mark in (("comment", b"\n:"), ("CR", b"\r\r"), ("CRLF", b"\r\n\r\n"), ("field", b"\nretry: 1000")):
        check.that(any(mark in m for m in made), f"a {what} in some mutant")
    check.that(any(b"\ndata: " in m.replace(b"\n\ndata: ", b"") for m in made), "JSON over several data lines")
    check.that(all(m.rstrip().endswith(b"[DONE]") or b"retry" in m or b":" in m for m in made), "an end")


def test_frames_keep_their_checksums(check):
    head = bytes([11]) + b":event-type" + b"\x07\x00\x05chunk"
    inner = {"bytes": base64.b64encode(json.dumps({"outputText": "Name"}).encode()).decode(), "p": "abc"}
    for made, mutation in mutants(mutate.frame(head, json.dumps(inner).encode()) * 3, FRAMES):
        found = [json.loads(payload) for _, payload in wire_bedrock.frames_of(made)]
        texts = [json.loads(base64.b64decode(f["bytes"]))["outputText"] for f in found]
        check.equal(texts, [mutate.translated("Name", mutation.letters)] * 3, f"text of {mutation}")


def test_arguments_stay_json(check):
    call = {"type": "function_call", "name": "f", "arguments": '{"S":"Ta\\u00e9\\n","n":null,"P":[1,true]}'}
    for made, mutation in mutants(json.dumps({"output": [call]}).encode(), "application/json"):
        arguments = json.loads(json.loads(made)["output"][0]["arguments"])
        check.equal((arguments["n"], len(arguments)), (None, 3), f"arguments of {mutation}")


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="backslashreplace")
    tap.main(sys.modules[__name__])
