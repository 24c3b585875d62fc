#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Recorded traffic of real providers, put on the wire again: as it was, and in other codings and other cuts. What
spantap says of model, usage, finish reason, text and tool calls must be what the recording says.

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
from harness import fake, paths, proc, spantap, tap, wire  # noqa: E402

KEYS = ("model", "usage", "finish", "text", "reasoning", "tools", "documents", "error")
CODINGS = ("gzip", "br", "zstd", "deflate")


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


class Call:
    """One recorded exchange of a dialect that we know, and what it means."""

    def __init__(self, path, number, request, response):
        url = urlsplit(request["uri"])
        self.name = f"{os.path.relpath(path, paths.RECORDINGS)}#{number}"
        self.host, self.path = url.netloc, url.path + (f"?{url.query}" if url.query else "")
        self.row = wire.dialect_of(url.path)
        self.request, self.response = body_of(request, True), body_of(response, True)
        self.status, self.content_type = (
            response["status"]["code"],
            header(response, "content-type") or "application/json",
        )
        self.user_agent = header(request, "user-agent") or "python"
        self.is_binary = "vnd.amazon.eventstream" in self.content_type
        self.streamed = any(w in self.content_type for w in ("eventstream", "event-stream", "ndjson", "stream+json"))
        self.wanted = self.meaning()

    def meaning(self):
        text = self.response
        if self.status != 200:
            return wire.meaning(self.path, self.status, json.loads(text)) if "json" in self.content_type else {}
        if not (self.streamed or "json" in self.content_type):
            return {}
        body = self.bytes() if self.is_binary else text if self.streamed else json.loads(text)
        found = wire.meaning(self.path, 200, body)
        if isinstance(body, str):
            found["error"] = wire.stream_error(body)
        if "usage" in found:
            found["usage"] = {k: v for k, v in found["usage"].items() if k in ("input", "output")}
        if self.row[1].startswith(("anthropic", "openai.responses")) and found.get("text"):
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


def cut(data, cuts):
    """The body in pieces: whole, in random pieces, or one byte at a time."""
    if cuts == "whole":
        return [data]
    if cuts == "bytes" and len(data) < 3000:
        return [data[i : i + 1] for i in range(len(data))]
    at, pieces, pick = 0, [], random.Random(len(data))
    while at < len(data):
        size = pick.randint(1, 700)
        pieces.append(data[at : at + size])
        at += size
    return pieces


def jobs_of(calls, form):
    """Script and jobs of one pass. @form: "as it was", or codings and cuts by turns."""
    script, jobs = {}, []
    for number, call in enumerate(calls):
        case, cuts, options = f"{form}{number}", "whole", ""
        if form == "b":
            cuts, options = (
                ("random", "bytes")[number % 2],
                f",enc={CODINGS[number % len(CODINGS)]}" if number % 3 else "",
            )
        entry = {"status": call.status, "headers": {"content-type": call.content_type}}
        if call.streamed or cuts != "whole":
            entry["chunks"] = [{"base64": base64.b64encode(p).decode()} for p in cut(call.bytes(), cuts)]
        else:
            entry["body"] = {"base64": base64.b64encode(call.bytes()).decode()}
        script[case] = [entry]
        jobs.append(
            {
                "path": f"/x/case={case}{options}{call.path}",
                "body": base64.b64encode(call.request.encode("utf-8", "surrogateescape")).decode(),
                "headers": {
                    "Host": call.host,
                    "Content-Type": "application/json",
                    "User-Agent": call.user_agent,
                    "Accept-Encoding": "gzip, br, zstd",
                    "Authorization": "Bearer sk-recorded",
                },
            }
        )
    return script, jobs


def play(check, calls, form):
    """One pass over the wire. Returns the spans by the number of their call."""
    script, jobs = jobs_of(calls, form)
    provider = fake.Provider(script)
    path = os.path.join(proc.scratch("jobs"), "jobs.json")
    with open(path, "w") as f:
        json.dump(jobs, f)
    player = os.path.join(TESTS, "recordings", "player.py")
    result, spans = spantap.run(
        [sys.executable, player, str(provider.tls_port), provider.ca, path], env=fake.client_env(), timeout=200
    )
    provider.stop()
    check.must(result.status == 0, repr(result))
    found = {}
    for span in spans:
        path = span["attributes"].get("url.path", "")
        if spantap.is_model_call(span) and path.startswith(f"/x/case={form}"):
            found.setdefault(int(path.split("/")[2].split(",")[0][len(f"case={form}") :]), []).append(span)
    check.equal(spantap.balanced(result.summary), 0, "difference of the ledger")
    return found


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


def one_pass(lines, calls, form, title):
    def dialect(check, name):
        group = [(i, c) for i, c in enumerate(calls) if c.row[1] == name]
        misses = {c.name: misses_of(c, spans.get(i, [])) for i, c in group}
        bad = {name: why for name, why in misses.items() if why}
        check.note(f"{len(group) - len(bad)} of {len(group)} decoded exactly")
        for name, why in list(bad.items())[:40]:
            check.that(False, f"{name}: {'; '.join(why)}")

    def wire_pass(check):
        spans.update(play(check, calls, form))

    spans = {}
    lines.run(f"recordings_{title}_go_over_the_wire", wire_pass)
    for name in sorted({c.row[1] for c in calls}):
        lines.run(f"{name}_{title}_is_decoded_exactly", dialect, name)


def main():
    directory, lines = sys.argv[1] if len(sys.argv) > 1 else paths.RECORDINGS, tap.Tap()
    try:
        if not os.path.isdir(directory):
            raise tap.Skip(f"no recordings in {directory}; SPANTAP_RECORDINGS names the place")
        spantap.need_spantap()
        calls, unread = load(directory)
        lines.line(not unread, f"{len(calls)} recorded calls can be read", "\n".join(unread))
        one_pass(lines, calls, "a", "as_recorded")
        one_pass(lines, calls, "b", "in_other_codings_and_cuts")
    except tap.Skip as skip:
        lines.line(True, "recordings", skip=str(skip))
    except (tap.Failed, TimeoutError, RuntimeError) as failure:
        lines.line(False, "recordings", str(failure))
    finally:
        proc.end_all()
    return lines.end()


if __name__ == "__main__":
    try:
        import yaml  # noqa: F401
    except ImportError:
        os.execv(paths.CLIENT_PYTHON, [paths.CLIENT_PYTHON, os.path.abspath(__file__), *sys.argv[1:]])
    sys.exit(main())
