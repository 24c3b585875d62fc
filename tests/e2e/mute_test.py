#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What is no model call is not copied, and what follows it on its connection is."""

import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import fake, spantap, tap  # noqa: E402
from harness.steps import Steps, tag_of  # noqa: E402

PATH = "/v1/chat/completions"
DOWNLOAD = "/x/events=200,size=100000,delay=0.005/download"
PROVIDER = None


def setup():
    global PROVIDER
    spantap.need_spantap()
    PROVIDER = fake.Provider(plain=True)


def run(check, tls, steps):
    """The spans of one client that takes @steps on one connection, and the summary."""
    client = Steps(PROVIDER, tls=tls)
    tracer = spantap.Spantap("--pid", str(client.pid))
    for words in steps:
        if words[0] == "wait":
            time.sleep(words[1])
        else:
            client.step(*words)
    client.end()
    result = tracer.stop()
    check.equal(spantap.balanced(result.summary), 0, "seen - captured - missing")
    return tracer.spans(), result.summary


def whole_calls(check, spans, tags):
    check.equal(sorted(map(str, (tag_of(s) for s in spans))), sorted(tags), "calls captured")
    check.equal(
        [tag_of(s) for s in spans if not s["attributes"].get("spantap.complete")], [], "calls that are not complete"
    )


def test_a_download_is_not_copied(check):
    for tls in (True, False):
        spans, summary = run(check, tls, [("get", DOWNLOAD)])
        counts = summary["bytes"]
        check.that(counts["seen"] > 20_000_000, "it passed")
        check.that(
            counts["missing"]["policy"] > 0.8 * counts["seen"],
            f"of {counts['seen']} bytes {counts['captured']} were copied",
        )
        check.equal(spans, [], "spans")


def test_a_call_after_a_download_on_its_connection_is_whole(check):
    for tls in (True, False):
        steps = [("get", DOWNLOAD), ("call", PATH, "after-1"), ("get", DOWNLOAD), ("call", PATH, "after-2")]
        spans, summary = run(check, tls, steps)
        check.that(summary["bytes"]["missing"]["policy"] > 30_000_000, "both downloads were not copied")
        whole_calls(check, spans, ["after-1", "after-2"])


def test_streams_that_follow_quick_side_traffic_are_whole(check):
    """The answer that is of no interest is over, and the next stream has begun, before anyone has looked at the first."""
    tags = [f"quick-{i}" for i in range(40)]
    steps = []
    for tag in tags:
        steps += [("get", "/v1/models"), ("stream", f"/x/events=12,delay=0.01{PATH}", tag, 1), ("rest",)]
    for tls in (True, False):
        spans, _ = run(check, tls, steps)
        whole_calls(check, spans, tags)


def test_many_alike_are_not_copied_and_calls_among_them_are_whole(check):
    """What is no call 64 times is none the next time; what is asked otherwise is looked at."""
    for tls in (True, False):
        steps = [("post", "/measurements", 100_000)] * 100 + [("wait", 0.5)]
        for i in range(20):
            steps += [("post", "/measurements", 100_000)] * 5 + [("call", PATH, f"among-{i}")]
        spans, summary = run(check, tls, steps)
        check.that(summary["bytes"]["missing"]["policy"] >= 10_000_000, "what follows a hundred was copied")
        check.that(summary["bytes"]["no_call"] >= 6_400_000, "the first were looked at")
        whole_calls(check, spans, [f"among-{i}" for i in range(20)])


def test_many_alike_with_short_questions_are_not_copied(check):
    """Two bytes, sent apart from their head, look like no other request."""
    large = "/x/events=1,size=100000/download"
    for tls in (True, False):
        steps = [("post", large, 0)] * 100 + [("wait", 0.5)]
        for i in range(20):
            steps += [("post", large, 0)] * 5 + [("call", PATH, f"short-{i}")]
        spans, summary = run(check, tls, steps)
        check.that(summary["bytes"]["missing"]["policy"] >= 10_000_000, "what follows a hundred was copied")
        whole_calls(check, spans, [f"short-{i}" for i in range(20)])


if __name__ == "__main__":
    tap.main(sys.modules[__name__], setup)
