#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Recorded traffic of real providers, put on the wire again in every form: HTTP/1.1 and HTTP/2, each content coding, whole
and cut, and behind a gateway of no name. What spantap says of model, usage, finish reason, text and tool calls must be what
the recording says. The share goes to build/recordings.json.

  recordings_test.py [DIRECTORY]      runs itself under the Python that has YAML
"""

import base64
import glob
import json
import os
import random
import sys
import zlib
from urllib.parse import urlsplit

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, TESTS)
from harness import paths, proc, spantap, tap, wire  # noqa: E402

import forms  # noqa: E402
import passes  # noqa: E402

KEYS = ("model", "usage", "finish", "text", "reasoning", "tools", "documents", "error")


def body_of(side, decode):
    """The body of a recorded request or answer as text or bytes: VCR keeps it in three ways, compressed or not."""
    if "parsed_body" in side:
        parsed = side["parsed_body"]
        return parsed if isinstance(parsed, (str, bytes)) else json.dumps(parsed, ensure_ascii=False)
    body = side.get("body") or ""
    if isinstance(body, dict):
        body = base64.b64decode(body["base64"]) if "base64" in body else body.get("string", "")
    if isinstance(body, bytes) and body[:2] == b"\x1f\x8b" and decode:
        body = zlib.decompress(body, 47)
    if isinstance(body, bytes):
        body = body.decode("utf-8", "surrogateescape")
    return body


def header(side, name):
    for key, value in (side.get("headers") or {}).items():
        if key.lower() == name:
            value = value[0] if isinstance(value, list) else value
            return value.decode("latin-1") if isinstance(value, bytes) else value
    return None


def type_of(body):
    """The type of a body where the recording left the headers out."""
    if body.startswith(("event:", "data:")):
        return "text/event-stream"
    return "application/vnd.amazon.eventstream" if body.startswith("\0\0") else "application/json"


class Call:
    """One recorded exchange of a dialect that we know, and what it means."""

    def __init__(self, path, number, request, response):
        url = urlsplit(request["uri"])
        self.name = f"{os.path.relpath(path, paths.RECORDINGS)}#{number}"
        self.host, self.path = url.netloc, url.path + (f"?{url.query}" if url.query else "")
        self.row = wire.dialect_of(url.path)
        self.request, self.response = body_of(request, True), body_of(response, True)
        self.status = response["status"]["code"]
        self.content_type = header(response, "content-type") or type_of(self.response)
        self.user_agent = header(request, "user-agent") or "python"
        self.is_binary = "vnd.amazon.eventstream" in self.content_type
        self.streamed = any(w in self.content_type for w in ("eventstream", "event-stream", "ndjson", "stream+json"))
        self.wanted = self.meaning()

    def meaning(self):
        text = self.response
        if self.status != 200:
            # Google puts its errors in plain JSON under the type of the stream that was asked for.
            is_json = "json" in self.content_type or (self.streamed and text.startswith("{"))
            return wire.meaning(self.path, self.status, json.loads(text)) if is_json else {}
        if not (self.streamed or "json" in self.content_type):
            return {}
        body = self.bytes() if self.is_binary else text if self.streamed else json.loads(text)
        found = wire.meaning(self.path, 200, body)
        if isinstance(body, str):
            found["error"] = wire.stream_error(body)
        if "usage" in found:
            found["usage"] = {k: v for k, v in found["usage"].items() if k in ("input", "output")}
        if self.row[1].startswith("anthropic") and found.get("text"):
            found["text"] = ["".join(found["text"])]
        return {k: found[k] for k in KEYS if found.get(k)}

    def bytes(self):
        return self.response.encode("utf-8", "surrogateescape")


def load(directory):
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    calls, unread = [], []
    for path in sorted(glob.glob(os.path.join(directory, "**", "*.y*ml"), recursive=True)):
        with open(path) as f:
            document = yaml.load(f, loader) or {}
        for number, entry in enumerate(document.get("interactions", [])):
            request = entry.get("request")
            if not request or request["method"].upper() != "POST" or not wire.dialect_of(urlsplit(request["uri"]).path):
                continue
            try:
                calls.append(Call(path, number, request, entry["response"]))
            except (ValueError, KeyError, TypeError, zlib.error) as e:
                unread.append(f"{path}#{number}: {e!r}")
    return calls, unread


def exchange_of(call, form, host=None, prefix=""):
    return passes.Exchange(
        form,
        "POST",
        host or call.host,
        prefix + call.path,
        call.request.encode("utf-8", "surrogateescape"),
        call.bytes(),
        call.streamed,
        call.status,
        {"content_type": call.content_type, "user_agent": call.user_agent},
    )


def words(text):
    """Letters and digits alone: SDKs write an error's words with their own quotes and escapes."""
    return "".join(c for c in (text or "").encode("unicode_escape").decode() if c.isalnum())


def differs(key, seen, wanted):
    return words(wanted) not in words(seen) if key == "error" else seen != wanted


def misses_of(call, spans):
    if len(spans) != 1:
        return [f"{len(spans)} spans"]
    attributes = spans[0]["attributes"]
    # An answer that is none of this dialect was captured but cannot be decoded, so it may say that it is not complete.
    is_foreign = call.status == 200 and not call.wanted
    out = [] if attributes.get("spantap.complete") is True or is_foreign else ["not complete"]
    if attributes.get("http.response.status_code") != call.status:
        out.append(f"status {attributes.get('http.response.status_code')}")
    seen = {**wire.of_parts(attributes), "error": wire.error_of(spans[0])}
    for key in KEYS:
        if key in call.wanted and differs(key, seen.get(key), call.wanted[key]):
            out.append(f"{key}: {tap.short(seen.get(key), 200)} instead of {tap.short(call.wanted[key], 200)}")
        elif key in ("tools", "reasoning", "error") and seen.get(key) and key not in call.wanted and not is_foreign:
            out.append(f"{key} of which the recording does not know: {tap.short(seen[key], 200)}")
    return out


class Grid:
    """What each pass made of each call."""

    def __init__(self, calls):
        self.calls, self.passes, self.misses = calls, [], {}

    def add(self, name, spans):
        self.passes.append(name)
        for number, call in enumerate(self.calls):
            self.misses[name, number] = misses_of(call, spans.get(number, []))

    def rows(self):
        """(family, pass, exact, total)"""
        for family in sorted({c.row[1] for c in self.calls}):
            own = [n for n, c in enumerate(self.calls) if c.row[1] == family]
            for name in self.passes:
                yield family, name, sum(not self.misses[name, n] for n in own), len(own)

    def tell(self, check, family):
        rows = [r for r in self.rows() if r[0] == family]
        exact, total = sum(r[2] for r in rows), sum(r[3] for r in rows)
        check.note(f"{exact} of {total} decoded exactly: {rows[0][3]} calls in {len(rows)} passes")
        for number, call in enumerate(self.calls):
            bad = [p for p in self.passes if self.misses[p, number]] if call.row[1] == family else []
            if bad:
                where = "every pass" if len(bad) == len(self.passes) else ", ".join(bad[:3])
                check.that(False, f"{call.name} in {where} ({len(bad)}): {'; '.join(self.misses[bad[0], number])}")


def elsewhere(calls, http):
    """Every call behind a gateway that nobody knows: the forms by turns."""
    pick, out = random.Random(7), []
    own = [f for f in forms.FORMS if f.http == http]
    for number, call in enumerate(calls):
        word = "".join(pick.choices("bcdfghklmnprstvwxz", k=7))
        out.append(exchange_of(call, own[number % len(own)], f"{word}.example:8443", f"/{word}/{number}"))
    return out


def one_pass(lines, grid, name, exchanges):
    def wire_pass(check):
        spans = passes.play(check, exchanges)
        passes.travelled(check, exchanges, spans)
        grid.add(name, spans)

    lines.run(f"recordings_go_over_{name}", wire_pass)


def write_share(grid):
    table = [dict(zip(("family", "pass", "exact", "total"), row)) for row in grid.rows()]
    exact, total = sum(r["exact"] for r in table), sum(r["total"] for r in table)
    with open(os.path.join(paths.BUILD, "recordings.json"), "w") as f:
        json.dump({"exact": exact, "total": total, "calls": len(grid.calls), "rows": table}, f, indent=1)
    print(f"# share: {exact} of {total} ({len(grid.calls)} calls in {len(grid.passes)} passes); build/recordings.json")


def all_passes(lines, calls):
    grid = Grid(calls)
    for form in forms.FORMS:
        one_pass(lines, grid, str(form), [exchange_of(c, form) for c in calls])
    for http in forms.HTTPS:
        one_pass(lines, grid, f"http{http}_elsewhere", elsewhere(calls, http))
    for family in sorted({c.row[1] for c in calls}):
        lines.run(f"{family}_is_decoded_exactly_in_every_form", grid.tell, family)
    write_share(grid)


def main():
    directory, lines = sys.argv[1] if len(sys.argv) > 1 else paths.RECORDINGS, tap.Tap()
    with lines.whole("recordings"):
        if not os.path.isdir(directory):
            raise tap.Skip(f"no recordings in {directory}; SPANTAP_RECORDINGS names the place")
        spantap.need_spantap()
        calls, unread = load(directory)
        lines.line(not unread, f"{len(calls)} recorded calls can be read", "\n".join(unread))
        all_passes(lines, calls)
    return lines.end()


if __name__ == "__main__":
    proc.need_packages("brotli", "yaml", "zstandard")
    sys.exit(main())
