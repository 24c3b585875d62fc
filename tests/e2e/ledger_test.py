#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Forced overload: with a ring of 64 KiB bytes are lost, and every one of them must be told. The ledger balances to
the byte against what the clients and the provider counted, and no span says "complete" that is not."""

import hashlib
import json
import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import completeness_test as completeness  # noqa: E402
from harness import spantap, tap  # noqa: E402


def setup():
    completeness.setup()


def expected_streams():
    """Plaintext that passed, by tag: (request, answer), heads and framing included, as the provider counted it."""
    out = {}
    for truth in completeness.PROVIDER.truth():
        tag = completeness.TAG.search(json.dumps(truth["request"]))
        out[tag[1] if tag else truth["serial"]] = (truth["request_stream_bytes"], truth["response_stream_bytes"])
    return out


def check_spans(check, made, spans, sha):
    """No false complete; every span's own account adds up. Returns how many were complete."""
    complete, streams = 0, expected_streams()
    for span in spans:
        attributes, tag = span["attributes"], completeness.tag_of(span)
        if attributes.get("spantap.complete"):
            complete += 1
            check.must(tag in made, f"a complete span has no call of the client: {tag}")
            check.equal(
                attributes["http.request.body.size"], made[tag]["request_bytes"], f"request body of complete {tag}"
            )
            check.equal(
                attributes["http.response.body.size"], made[tag]["response_bytes"], f"answer's body of complete {tag}"
            )
            check.equal(hashlib.sha256(completeness.text_of(span).encode()).hexdigest(), sha, f"text of complete {tag}")
            check.that(not attributes.get("spantap.missing_reason"), f"complete {tag} has a reason for missing bytes")
        else:
            missing = [attributes.get(f"spantap.{side}.missing_bytes") for side in ("request", "response")]
            check.that(any(missing), f"incomplete {tag} misses nothing: {missing}")
            check.that(attributes.get("spantap.missing_reason"), f"incomplete {tag} names no reason")
        if tag in streams:
            for side, wanted in zip(("request", "response"), streams[tag]):
                check.equal(
                    attributes.get(f"spantap.{side}.stream_bytes"),
                    wanted,
                    f"{side} bytes on the stream of {tag}, holes included",
                )
    return complete


def overload(check, client, count, prompt, stream, options):
    made, spans, result = completeness.run(check, client, count, prompt, stream, options, "--ring-bytes", "65536")
    counts = result.summary["bytes"]
    passed = sum(sum(pair) for pair in expected_streams().values())
    lost = sum(counts["missing"].values())
    complete = check_spans(check, made, spans, completeness.PROVIDER.truth()[-1]["text_sha"])
    check.equal(spantap.balanced(result.summary), 0, "seen - captured - missing")
    check.equal(counts["seen"], passed, "bytes seen against what passed at the provider")
    check.equal(result.summary["complete"], complete, "complete calls of the summary")
    check.note(f"{passed} bytes passed, {lost} of them lost and told, {complete} of {len(made)} calls complete")
    return lost, spans


def test_4_mb_bodies_through_64_kib_lose_bytes_and_tell_every_one(check):
    lost, _ = overload(check, "requests", 4, 2_800_000, False, {"events": 1000, "size": 4200})
    check.that(lost > 0, "nothing was lost: this is no overload, the test proves nothing")


def test_64_streams_through_64_kib_balance(check):
    overload(check, "httpx", 64, 2000, True, {"events": 300, "size": 400})


def test_bursts_of_node_through_64_kib_balance(check):
    if not shutil.which("node"):
        raise tap.Skip("no node")
    overload(check, "node", 32, 20000, True, {"events": 200, "size": 2000})


def test_without_overload_nothing_is_lost(check):
    made, spans, result = completeness.run(check, "httpx", 16, 2000, True, {"events": 50, "size": 400})
    check.equal(sum(result.summary["bytes"]["missing"].values()), 0, "bytes missing")
    check.equal(result.summary["bytes"]["seen"], sum(sum(pair) for pair in expected_streams().values()), "bytes seen")
    check.equal(check_spans(check, made, spans, completeness.PROVIDER.truth()[-1]["text_sha"]), 16, "complete calls")


def test_capture_none_copies_nothing(check):
    _, spans, result = completeness.run(check, "requests", 2, 200, True, {"events": 20}, "--capture", "none")
    check.equal(len(spans), 0, "spans")
    check.equal(result.summary["bytes"]["captured"], 0, "bytes captured")


def test_a_budget_that_is_too_small_is_told_as_budget(check):
    """Many big prompts in flight against 8 MB of memory: what is shed is declared, and nothing is called complete
    that is not."""
    # A ring that takes all of it: what is lost is lost to the memory alone.
    limits = "--max-memory", "8M", "--ring-bytes", "64M"
    made, spans, result = completeness.run(
        check, "httpx", 16, 1_400_000, False, {"events": 100, "first": 1.0}, *limits
    )
    check.equal(result.summary["bytes"]["missing"]["ring_full"], 0, "lost to the ring")
    check_spans(check, made, spans, completeness.PROVIDER.truth()[-1]["text_sha"])
    check.equal(spantap.balanced(result.summary), 0, "seen - captured - missing")
    reasons = {r for s in spans for r in s["attributes"].get("spantap.missing_reason", [])}
    check.that("budget" in reasons or all(s["attributes"]["spantap.complete"] for s in spans), f"reasons: {reasons}")
    # What the spans say is missing for lack of memory, and the calls that left none, are in the sums.
    told = sum(
        max(span["attributes"][f"spantap.{side}.missing_bytes"], 0)
        for span in spans
        if span["attributes"].get("spantap.missing_reason") == ["budget"]
        for side in ("request", "response")
    )
    sides = [f"spantap.{side}.stream_bytes" for side in ("request", "response")]
    spanless = result.summary["bytes"]["seen"] - sum(span["attributes"][side] for span in spans for side in sides)
    budget = result.summary["bytes"]["missing"]["budget"]
    check.that(budget >= told, f"missing.budget {budget}, and spans tell {told}")
    check.that(
        budget - told + result.summary["bytes"]["no_call"] >= spanless,
        f"missing.budget {budget}, spans tell {told}, and {spanless} are of calls without a span: {result.summary}",
    )
    check.note(f"{len(spans)} spans of 16 calls, reasons {sorted(reasons)}, {budget} bytes given up, {told} by spans")


if __name__ == "__main__":
    tap.main(sys.modules[__name__], setup)
