#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What was recorded but is not compared, and why: every interaction that is no call of a dialect that is read twice. They go
over the wire all the same: one span at most for each. The list goes to build/recordings-uncovered.json."""

import collections
import glob
import json
import os
import re
import sys
from urllib.parse import urlsplit

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, TESTS)
from harness import paths, proc, spantap, tap, wire  # noqa: E402

import forms  # noqa: E402
import passes  # noqa: E402
import recordings_test  # noqa: E402

REASONS = [  # of "METHOD path"; the first that fits
    (r"^message |^close ", "one message of a socket: ws_recordings_test.py plays them"),
    (r"^xai ", "recorded as protobuf objects, without a wire"),
    (r"^GET /v1/responses/", "a poll for an answer made in the background"),
    (r"^GET /v1/(predictions|streams|models)/", "a poll for, or the stream of, a prediction asked for before"),
    (r"count[_-]tokens$|/input_tokens$", "counts tokens, no answer of a model"),
    (r"/responses/compact$", "shortens a conversation"),
    (r"^POST /v1/complete$", "Anthropic's API before messages"),
    (r"/images/generations$", "makes pictures; nothing but usage could be compared"),
    (r"^POST /v1/graphql$", "a query of Weaviate"),
    (r"/v1/(schema|meta|nodes)|/files|/vector_stores|/fileSearchStores|/conversations", "keeps house: no model is asked"),
    (r"^GET ", "fetches a document or a picture, from no provider"),
]


class Other:
    def __init__(self, path, number, entry):
        self.file, self.number = os.path.relpath(path, paths.RECORDINGS), number
        request = entry.get("request")
        self.exchange = None
        if not isinstance(request, dict) or "uri" not in request:
            self.what = f"{'xai' if '.xai.' in path else entry.get('kind')} "
        else:
            url, response = urlsplit(request["uri"]), entry["response"]
            self.what = f"{request['method'].upper()} {url.path}"
            body = recordings_test.body_of(response, True)
            more = {"content_type": recordings_test.header(response, "content-type") or "application/json"}
            self.exchange = passes.Exchange(
                forms.FORMS[0],
                request["method"].upper(),
                url.netloc,
                url.path + (f"?{url.query}" if url.query else ""),
                bytes_of(recordings_test.body_of(request, True)),
                bytes_of(body),
                "event-stream" in more["content_type"],
                response["status"]["code"],
                more,
            )
        self.reason = next((r for pattern, r in REASONS if re.search(pattern, self.what)), "unknown")


def bytes_of(body):
    return body if isinstance(body, bytes) else body.encode("utf-8", "surrogateescape")


def load(directory):
    import yaml

    loader, out = getattr(yaml, "CSafeLoader", yaml.SafeLoader), []
    for path in sorted(glob.glob(os.path.join(directory, "**", "*.y*ml"), recursive=True)):
        with open(path) as f:
            document = yaml.load(f, loader) or {}
        for number, entry in enumerate(document.get("interactions", [])):
            request = entry.get("request")
            is_http = isinstance(request, dict) and "uri" in request
            if is_http and request["method"].upper() == "POST" and wire.dialect_of(urlsplit(request["uri"]).path):
                continue
            out.append(Other(path, number, entry))
    return out


def play(check, others, rows):
    sent = [o for o in others if o.exchange]
    spans = passes.play(check, [o.exchange for o in sent])
    for number, other in enumerate(sent):
        own = spans.get(number, [])
        other.told = own[0]["attributes"].get("spantap.dialect") if own else None
        check.that(len(own) <= 1, f"{len(own)} spans of {other.file} {other.what}")
    counts = collections.Counter((o.file, o.what, o.reason, getattr(o, "told", None)) for o in others)
    rows += [dict(zip(("file", "what", "reason", "told"), row), count=count) for row, count in counts.items()]


def tell(check, rows):
    groups = collections.Counter()
    for row in rows:
        groups[row["reason"], row["told"] or "no span"] += row["count"]
        check.that(row["reason"] != "unknown", f"{row['file']}: {row['what']} is compared with nothing, for no reason")
    for (reason, told), count in sorted(groups.items()):
        check.note(f"{count} not compared, {told}: {reason}")


def main():
    lines, rows = tap.Tap(), []
    with lines.whole("recordings that are not compared"):
        if not os.path.isdir(paths.RECORDINGS):
            raise tap.Skip(f"no recordings in {paths.RECORDINGS}; SPANTAP_RECORDINGS names the place")
        spantap.need_spantap()
        others = load(paths.RECORDINGS)
        lines.run("what_is_not_compared_gives_one_span_at_most", play, others, rows)
        lines.run("what_is_not_compared_has_a_reason", tell, rows)
        with open(os.path.join(paths.BUILD, "recordings-uncovered.json"), "w") as f:
            json.dump(rows, f, indent=1)
    return lines.end()


if __name__ == "__main__":
    proc.need_packages("brotli", "yaml", "zstandard")
    sys.exit(main())
