#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The fake provider does what its truth says, so that a difference to it is never its own."""

import asyncio
import http.client
import json
import os
import socket
import ssl
import struct
import sys
import time
import zlib

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import fake, proc, tap, wire  # noqa: E402

PROVIDER = None


def ask(path, body, headers=None):
    connection = http.client.HTTPSConnection(
        "localhost", PROVIDER.tls_port, timeout=20, context=ssl.create_default_context(cafile=PROVIDER.ca)
    )
    connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json", **(headers or {})})
    answer = connection.getresponse()
    try:
        data = answer.read()
    except http.client.IncompleteRead as cut:
        data = cut.partial
    connection.close()
    return answer, data


def setup():
    global PROVIDER
    PROVIDER = fake.Provider(
        {
            "two": [{"status": 200, "body": {"n": 1}}, {"status": 200, "body": {"n": 2}}],
            "each": [{"status": 200, "chunks": [{"base64": "YWJjZGU=", "each": 2}]}],
            "cut": [
                {
                    "status": 200,
                    "headers": {"content-type": "text/event-stream"},
                    "chunks": ["data: 1\n\n", "<pause 0.01s>", "data: 2\n\n", "<connection closed by server>"],
                }
            ],
        },
        plain=True,
        tls2=True,
        unix=os.path.join(proc.scratch("unix"), "s"),
    )


async def one_stream(context, events):
    reader, writer = await asyncio.open_connection("localhost", PROVIDER.tls_port, ssl=context)
    body = json.dumps({"model": "m", "stream": True, "messages": []}).encode()
    writer.write(
        b"POST /x/events=%d/v1/chat/completions HTTP/1.1\r\n"
        b"Host: localhost\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % (events, len(body)) + body
    )
    data = await reader.read(-1)
    writer.close()
    return len(data), data.count(b"data: ")


def test_64_streams_of_300_events_each_as_its_truth_says(check):
    async def all_of_them():
        context = ssl.create_default_context(cafile=PROVIDER.ca)
        return await asyncio.gather(*(one_stream(context, 300) for _ in range(64)))

    PROVIDER.forget()
    begun = time.monotonic()
    got = asyncio.run(all_of_them())
    check.equal({events for _, events in got}, {303}, "events of a stream")
    truth = PROVIDER.truth(64)
    check.equal(
        sorted(t["response_stream_bytes"] for t in truth), sorted(size for size, _ in got), "bytes on the streams"
    )
    check.note(f"{time.monotonic() - begun:.1f} s for 64 x 300 events")


def need_codings():
    found = proc.subprocess.run([fake.python(), "-c", "import brotli, zstandard"], capture_output=True)
    if found.returncode:
        raise tap.Skip("no brotli and zstandard: run tests/setup/clients.sh python")


def test_every_coding_decodes_to_the_same_text(check):
    need_codings()
    for coding in ("gzip", "br", "zstd", "deflate", "none"):
        for stream in (True, False):
            answer, data = ask(
                f"/x/enc={coding},events=9/v1/chat/completions", {"model": "m", "stream": stream, "messages": []}
            )
            check.equal(answer.headers.get("content-encoding"), None if coding == "none" else coding, "coding")
            sys.path.insert(0, os.path.dirname(fake.paths.PROVIDER))
            text = decode(coding, data)
            meaning = wire.meaning("/v1/chat/completions", 200, text if stream else json.loads(text))
            check.equal(len("".join(meaning["text"])), 9 * 16, f"characters of text in {coding}")


def decode(coding, data):
    """By the Python that has the modules: the one that the provider itself runs on."""
    program = (
        "import sys; sys.path.insert(0, sys.argv[1]); import provider; "
        "sys.stdout.buffer.write(provider.decoded(sys.stdin.buffer.read(), sys.argv[2]))"
    )
    done = proc.subprocess.run(
        [fake.python(), "-c", program, os.path.dirname(fake.paths.PROVIDER), coding],
        input=data,
        stdout=proc.subprocess.PIPE,
        check=True,
    )
    return done.stdout.decode()


def test_auto_takes_the_first_coding_offered(check):
    need_codings()
    answer, _ = ask("/x/enc=auto/v1/chat/completions", {"model": "m"}, {"Accept-Encoding": "br;q=1, gzip"})
    check.equal(answer.headers.get("content-encoding"), "br", "coding")


def test_every_dialect_says_what_its_truth_says(check):
    for path in (
        "/v1/chat/completions",
        "/v1/completions",
        "/v1/responses",
        "/v1/messages",
        "/api/chat",
        "/api/generate",
    ):
        for stream in (True, False):
            _, data = ask(f"/x/events=4{path}", {"model": "m", "stream": stream, "messages": []})
            body = data.decode() if stream else json.loads(data)
            check.equal(
                "".join(wire.meaning(path, 200, body)["text"]),
                "".join(f"{i:06d} ".ljust(16, "x") for i in range(4)),
                path,
            )


def test_http2_gives_the_same_answers_within_small_windows(check):
    """The client's window is smaller than the answer, and eight streams share the connection."""
    if fake.python() != fake.paths.SDK_PYTHON:
        raise tap.Skip("no h2: run tests/setup/clients.sh sdks-python")
    program = (
        "import asyncio, httpx, json, sys\n"
        "async def main():\n"
        "    async with httpx.AsyncClient(http1=False, http2=True) as c:\n"
        "        ask = lambda: c.post(sys.argv[1], json={'model': 'm', 'stream': True, 'messages': []})\n"
        "        for a in await asyncio.gather(*(ask() for _ in range(8))):\n"
        "            print(json.dumps([a.http_version, len(a.content), a.text.count('data: {')]))\n"
        "asyncio.run(main())\n"
    )
    for port, scheme in ((PROVIDER.tls2_port, "https"), (PROVIDER.plain_port, "http")):
        # By a tag: the truth of an answer is written behind it, so that an earlier test's may still come.
        tag = f"windows.{scheme}"
        url = f"{scheme}://localhost:{port}/x/events=2000,size=200,tag={tag}/v1/chat/completions"
        env = fake.client_env()
        done = proc.subprocess.run(
            [fake.python(), "-c", program, url], env=env, stdout=proc.subprocess.PIPE, timeout=60, check=True
        )
        got = [json.loads(line) for line in done.stdout.splitlines()]
        check.equal({tuple(g[::2]) for g in got}, {("HTTP/2", 2002)}, "version and events")
        truth = PROVIDER.truth(8, where=lambda t, tag=tag: f"tag={tag}/" in t["target"])
        check.equal({t["http"] for t in truth}, {"2"}, "HTTP of the truth")
        check.equal({t["end"] for t in truth}, {"complete"}, "end")
        check.equal(sorted(t["response_bytes"] for t in truth), sorted(g[1] for g in got), "bytes of the bodies")


def test_event_stream_frames_have_lengths_and_crcs_that_hold(check):
    data = ask("/x/events=3/model/m/converse-stream", {"messages": []})[1]
    kinds, at = [], 0
    while at < len(data):
        total, headers = struct.unpack(">II", data[at : at + 8])
        check.equal(struct.unpack(">I", data[at + 8 : at + 12])[0], zlib.crc32(data[at : at + 8]), "CRC of the prelude")
        end = at + total
        check.equal(struct.unpack(">I", data[end - 4 : end])[0], zlib.crc32(data[at : end - 4]), "CRC of the frame")
        kinds.append(list(json.loads(data[at + 12 + headers : end - 4]))[0])
        at = end
    check.equal(len(kinds), 1 + 3 + 3, f"frames: {kinds}")


def test_scripts_are_served_in_order_and_the_last_one_repeats(check):
    check.equal([json.loads(ask("/x/case=two/any", {})[1])["n"] for _ in range(3)], [1, 2, 2], "answers")


def test_a_header_steers_where_the_path_must_stay_and_bytes_are_cut_as_told(check):
    _, data = ask("/v1/any", {}, {"x-steer": "case=each"})
    check.equal(data, b"abcde", "body")
    truth = PROVIDER.truth(1, where=lambda t: t["case"] == "each")[-1]
    check.equal((truth["target"], truth["pieces"]), ("/v1/any", 3), "target, pieces")


def test_a_cut_stream_ends_without_its_framing(check):
    _, data = ask("/x/case=cut/v1/chat/completions", {})
    check.equal(data, b"data: 1\n\ndata: 2\n\n", "what came before the cut")
    check.equal(PROVIDER.truth(1, where=lambda t: t["case"] == "cut")[-1]["end"], "server closed", "end")


def test_errors_and_plain_and_unix(check):
    answer, data = ask("/x/status=429/v1/messages", {})
    check.equal((answer.status, json.loads(data)["error"]["type"]), (429, "rate_limit_error"), "error")
    for family, address in ((socket.AF_INET, ("127.0.0.1", PROVIDER.plain_port)), (socket.AF_UNIX, PROVIDER.unix)):
        with socket.socket(family) as s:
            s.connect(address)
            s.sendall(b"POST /api/chat HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
            data = b"".join(iter(lambda: s.recv(65536), b""))
        check.that(b'"done":true' in data, f"an answer by {family!r}")


if __name__ == "__main__":
    tap.main(sys.modules[__name__], setup)
