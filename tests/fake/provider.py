#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A provider that answers as it is told: TLS, plain TCP and unix sockets, HTTP/1.1 with keep-alive, HTTP/2.

  provider.py [--tls PORT --tls2 PORT --cert PEM --key PEM] [--plain PORT] [--unix PATH] [--truth FILE] [--script FILE]

--tls offers HTTP/1.1 alone, --tls2 HTTP/2 as well (ALPN); --plain and --unix take HTTP/2 from a client that begins with
its preface. Without the package h2 there is no HTTP/2. Ports may be 0; one JSON line on stdout tells what was bound. Every exchange becomes one JSON line of truth: what a
tracer has to find, with the bytes as they travelled.

What it answers, strongest first:
  /x/OPTIONS/REST     a first path segment steers this request; REST goes on as the path. Options, joined by commas:
      case=NAME       the next response of this case in the script (the last one repeats)
      events=N size=N pieces of a stream, characters of each    delay=S  between pieces    first=S  before the first
      enc=CODING      gzip, br, zstd, deflate, or auto: the first that the client offers
      noise=1         text that does not compress
      status=N        an error        silent=S no answer, then close
      drop=N          close after N pieces                      reset=N  the same by RST
      close=1         the close of the connection delimits the body
      mark=0          no [DONE] at the end of a stream
      vendor=writer   completions as this vendor has them, where others have the same path
      tag=WORD        nothing: it finds the exchange again in the truth and in url.path
  x-steer: OPTIONS    the same in a header, for a path that must stay as it is
  else                dialects.py answers by the path

A script is {NAME: [RESPONSE…]} or, without names, the exchanges of a gold file; see scripted().
"""

import argparse
import asyncio
import base64
import hashlib
import json
import os
import re
import socket
import ssl
import struct
import sys
import time
import urllib.parse
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import dialects  # noqa: E402
import sonic  # noqa: E402

try:
    import http2
except ImportError:
    http2 = None
try:
    import brotli
except ImportError:
    brotli = None
try:
    import zstandard
except ImportError:
    zstandard = None

REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    429: "Too Many Requests",
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    529: "Overloaded",
}
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
EVENT = re.compile(r"<(pause|connection closed|connection reset)[^>]*?([\d.]*)s?(?: by \w+)?>$")


class Coder:
    """A content coding that gives out all it has after each piece, as streaming servers do."""

    def __init__(self, name):
        self.name, self.inner = name, None
        if name in ("gzip", "deflate"):
            self.inner = zlib.compressobj(6, zlib.DEFLATED, 31 if name == "gzip" else 15)
        elif name == "br":
            self.inner = brotli.Compressor(quality=4)
        elif name == "zstd":
            self.inner = zstandard.ZstdCompressor().compressobj()

    def piece(self, data):
        if self.inner is None:
            return data
        if self.name == "br":
            return self.inner.process(data) + self.inner.flush()
        if self.name == "zstd":
            return self.inner.compress(data) + self.inner.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
        return self.inner.compress(data) + self.inner.flush(zlib.Z_SYNC_FLUSH)

    def end(self):
        if self.inner is None:
            return b""
        return self.inner.finish() if self.name == "br" else self.inner.flush()


def coding_for(wanted, offered):
    """The coding to use: forced by name, or the first one of Accept-Encoding that this process can make."""
    able = {"gzip": True, "deflate": True, "br": brotli, "zstd": zstandard}
    if wanted == "auto":
        names = [n.split(";")[0].strip() for n in offered.split(",")]
        return next((n for n in names if able.get(n)), None)
    return wanted if able.get(wanted) else None


def decoded(body, coding):
    if coding in ("gzip", "deflate"):
        return zlib.decompress(body, 47)
    if coding == "br":
        return brotli.decompress(body)
    if coding == "zstd":
        return zstandard.ZstdDecompressor().decompressobj().decompress(body)
    return body


def options_of(target):
    """("/x/events=3,enc=gzip/v1/models") gives ({"events": 3, "enc": "gzip"}, "/v1/models")."""
    found = re.match(r"/x/([^/]*)(/.*)$", target)
    if not found:
        return {}, target
    options = {}
    for pair in filter(None, urllib.parse.unquote(found[1]).split(",")):
        name, _, value = pair.partition("=")
        options[name] = int(value) if value.isdigit() else float(value) if re.fullmatch(r"\d*\.\d+", value) else value
    return options, found[2]


class Request:
    def __init__(self, method, target, headers, body, stream_bytes, interim):
        self.method, self.target, self.headers, self.body = method, target, headers, body
        self.stream_bytes, self.interim = stream_bytes, interim
        self.options, self.path = options_of(f"/x/{headers['x-steer']}{target}" if "x-steer" in headers else target)
        try:
            self.json = json.loads(decoded(body, headers.get("content-encoding")) or b"null")
        except (ValueError, zlib.error):
            self.json = None


async def read_request(reader, writer):
    """One request, or None at the end of the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
        return None
    lines = head.decode("latin-1").split("\r\n")
    method, target, version = lines[0].split(" ", 2)
    headers, interim = {}, 0
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    if headers.get("expect", "").lower() == "100-continue":
        writer.write(CONTINUE)
        interim = len(CONTINUE)
    body, framing = b"", 0
    if "chunked" in headers.get("transfer-encoding", ""):
        while True:
            line = await reader.readuntil(b"\r\n")
            size = int(line.split(b";")[0], 16)
            body += await reader.readexactly(size)
            await reader.readexactly(2)
            framing += len(line) + 2
            if size == 0:
                break
    elif headers.get("content-length"):
        body = await reader.readexactly(int(headers["content-length"]))
    return Request(method, target, headers, body, len(head) + len(body) + framing, interim)


def scripted(entry):
    """A response of a script or of a gold file: {"status", "headers", "body" | "chunks", "note"}, as an Answer. A chunk is
    a text or {"base64", "each"}: bytes, cut into pieces of that size."""
    status = entry.get("status")
    headers = dict(entry.get("headers") or {})
    answer = dialects.Answer(
        "scripted",
        [],
        "chunks" in entry,
        headers.pop("content-type", "application/json"),
        status or 200,
        headers=headers,
    )
    silent = re.search(r"no answer for ([\d.]+)s", entry.get("note") or "")
    if silent:
        answer.pieces = [("silent", float(silent[1]))]
        return answer
    if not answer.streamed:
        body = entry.get("body")
        if isinstance(body, dict) and set(body) == {"base64"}:
            body = base64.b64decode(body["base64"])
        elif not isinstance(body, str):
            body = json.dumps(body, ensure_ascii=False)
        answer.pieces = [body if isinstance(body, bytes) else body.encode()]
        return answer
    for chunk in entry["chunks"]:
        event = EVENT.match(chunk) if isinstance(chunk, str) else None
        if event:
            answer.pieces.append((event[1], float(event[2] or 0)))
        elif isinstance(chunk, str):
            answer.pieces.append(chunk.encode())
        else:
            data = base64.b64decode(chunk["base64"])
            each = chunk.get("each") or max(len(data), 1)
            answer.pieces += [data[i : i + each] for i in range(0, len(data), each)]
    if "client closed" in (entry.get("note") or "") or (answer.pieces and answer.pieces[-1][0] == "pause"):
        answer.pieces.append(("wait for the client to leave", 10.0))
    return answer


def plan(request, script, served, serial):
    """The Answer for this request."""
    name = request.options.get("case")
    if name is None and script.get("") and not request.options:
        name = ""
    if name is not None:
        entries = script.get(name) or [{"status": 404, "body": {"error": {"message": f"no case {name}"}}}]
        at = served.setdefault(name, 0)
        served[name] += 1
        return scripted(entries[min(at, len(entries) - 1)])
    path, _, query = request.path.partition("?")
    options = dict(request.options, serial=serial, path=path, query=query)
    options["dashscope_sse"] = request.headers.get("x-dashscope-sse") == "enable"
    answer = dialects.answer(request.method, path, request.json, options)
    for key, event in (("drop", "connection closed"), ("reset", "connection reset")):
        if key in options:
            answer.pieces = answer.pieces[: options[key]] + [(event, 0)]
    if "silent" in options:
        answer.pieces = [("silent", options["silent"])]
    return answer


class Left(Exception):
    """The exchange ended before its framing did; the text says who left."""


class Http1:
    """What an Exchange needs of its carrier: here the connection itself."""

    http = "1.1"

    def __init__(self, reader, writer):
        self.reader, self.writer, self.chunked, self.sent = reader, writer, False, 0

    def left(self):
        return self.reader.at_eof() or self.writer.is_closing()

    async def put(self, data):
        self.writer.write(data)
        self.sent += len(data)
        await self.writer.drain()

    async def head(self, status, headers):
        self.chunked = ("Transfer-Encoding", "chunked") in headers
        lines = [f"HTTP/1.1 {status} {REASONS.get(status, 'Status')}"] + [f"{n}: {v}" for n, v in headers]
        await self.put("\r\n".join(lines).encode() + b"\r\n\r\n")

    async def piece(self, data):
        await self.put(b"%x\r\n%s\r\n" % (len(data), data) if self.chunked else data)

    async def end(self):
        if self.chunked:
            await self.put(b"0\r\n\r\n")

    async def abort(self):
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()


class Exchange:
    """Sends one answer and keeps count of what travelled."""

    def __init__(self, request, answer, carrier):
        self.request, self.answer, self.carrier = request, answer, carrier
        self.body_bytes = self.sent_pieces = 0
        self.tail = (0, 0)
        options = request.options
        self.delay, self.first = options.get("delay", 0), options.get("first", 0)
        coding = coding_for(options.get("enc"), request.headers.get("accept-encoding", ""))
        self.coder = Coder(coding)
        self.close_delimited = bool(options.get("close"))
        self.chunked = answer.streamed and not self.close_delimited
        self.close = self.close_delimited or request.headers.get("connection", "").lower() == "close"

    def stream_bytes(self):
        """Of the answer on its connection; frames of HTTP/2 are not counted here."""
        return self.request.interim + self.carrier.sent if self.carrier.http == "1.1" else None

    async def head(self, length):
        answer = self.answer
        headers = [("Content-Type", answer.content_type), *answer.headers.items()]
        if "x-request-id" not in answer.headers and "request-id" not in answer.headers:
            headers.append(("x-request-id", f"req-{self.request.serial:08d}"))
        if self.coder.name:
            headers.append(("Content-Encoding", self.coder.name))
        if self.chunked:
            headers.append(("Transfer-Encoding", "chunked"))
        elif length is not None:
            headers.append(("Content-Length", length))
        if self.close:
            headers.append(("Connection", "close"))
        await self.carrier.head(answer.status, headers)

    async def body_piece(self, data):
        if data:
            self.body_bytes += len(data)
            await self.carrier.piece(data)

    async def watch(self, seconds, expected):
        """Waits, unless the client leaves first."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.carrier.left():
                raise Left("client left")
            await asyncio.sleep(0.01)
        if expected:
            raise Left("server closed")

    async def event(self, name, seconds):
        if name == "pause":
            await self.watch(seconds, False)
        elif name == "connection reset":
            await self.carrier.abort()
            raise Left("server reset")
        elif name == "connection closed":
            raise Left("server closed")
        else:
            await self.watch(seconds, True)

    async def send(self):
        answer = self.answer
        if self.first:
            await self.watch(self.first, False)
        if answer.pieces and answer.pieces[0] and answer.pieces[0][0] == "silent":
            await self.event("silent", answer.pieces[0][1])
        if not answer.streamed and not self.close_delimited:
            data = b"".join(p for p in answer.pieces if isinstance(p, bytes))
            data = self.coder.piece(data) + self.coder.end()
            await self.head(len(data))
            if self.request.method != "HEAD":
                await self.body_piece(data)
                self.sent_pieces = 1
            return await self.carrier.end()
        await self.head(None)
        for piece in answer.pieces:
            if isinstance(piece, tuple):
                await self.event(*piece)
                continue
            if self.sent_pieces and self.delay:
                await asyncio.sleep(self.delay)
            await self.body_piece(self.coder.piece(piece))
            self.sent_pieces += 1
        before = self.body_bytes, self.stream_bytes()
        try:
            await self.body_piece(self.coder.end())
            await self.carrier.end()
        finally:
            self.tail = self.body_bytes - before[0], (self.stream_bytes() or 0) - (before[1] or 0)


class Provider:
    def __init__(self, args):
        self.serial = self.connections = 0
        self.truth = open(args.truth, "a", buffering=1) if args.truth else None
        self.script, self.served = {}, {}
        if args.script:
            with open(args.script) as f:
                script = json.load(f)
            self.script = {"": [e["response"] for e in script["exchanges"]]} if "exchanges" in script else script

    def tell(self, exchange, connection, begun, end):
        if not self.truth:
            return
        request, answer = exchange.request, exchange.answer
        asked = request.json if isinstance(request.json, dict) else {}
        self.truth.write(
            json.dumps(
                {
                    "t": begun,
                    "seconds": time.time() - begun,
                    "connection": connection,
                    "http": exchange.carrier.http,
                    "serial": request.serial,
                    "method": request.method,
                    "target": request.target,
                    "path": request.path,
                    "case": request.options.get("case"),
                    "dialect": answer.dialect,
                    "model": answer.model or asked.get("model"),
                    "tools": answer.tools,
                    "usage": answer.usage,
                    "stream": bool(answer.streamed),
                    "status": answer.status,
                    "user_agent": request.headers.get("user-agent"),
                    "tag": asked.get("user"),
                    "request_sha": hashlib.sha256(request.body).hexdigest(),
                    "encoding": exchange.coder.name,
                    "request_bytes": len(request.body),
                    "request_stream_bytes": request.stream_bytes,
                    "response_bytes": exchange.body_bytes,
                    "response_stream_bytes": exchange.stream_bytes(),
                    "request": request.json if len(request.body) < 65536 else None,
                    # After the last piece there is only the end of the coding and of the framing: a client that knows
                    # the dialect's own end may leave before it.
                    "response_tail_bytes": exchange.tail[0],
                    "response_tail_stream_bytes": exchange.tail[1],
                    "pieces": exchange.sent_pieces,
                    "text_sha": hashlib.sha256(answer.text.encode()).hexdigest(),
                    "text_length": len(answer.text),
                    "end": end,
                }
            )
            + "\n"
        )

    async def exchange(self, request, carrier, connection):
        request.serial = self.next_serial()
        exchange = Exchange(request, plan(request, self.script, self.served, self.serial), carrier)
        begun, end = time.time(), "complete"
        try:
            await exchange.send()
        except Left as left:
            end = str(left)
        except (ConnectionError, ssl.SSLError):
            end = "client left"
        self.tell(exchange, connection, begun, end)
        return end, exchange.close

    def conversation(self, target):
        """One that another carrier has in both directions."""
        options, path = options_of(target)
        return sonic.Conversation(target, path, options, self.next_serial, self.tell_line)

    def next_serial(self):
        self.serial += 1
        return self.serial

    def tell_line(self, told):
        if self.truth:
            self.truth.write(json.dumps(told) + "\n")

    async def exchange_over(self, carrier, method, target, headers, body, connection):
        """One exchange that another carrier has read. False when the connection must end with it."""
        request = Request(method, target, headers, body, None, 0)
        return (await self.exchange(request, carrier, connection))[0] != "server closed"

    async def connection(self, reader, writer):
        self.connections += 1
        number = self.connections
        try:
            while True:
                request = await read_request(reader, writer)
                if request is not None and request.method == "PRI" and http2:
                    await http2.Connection(self, reader, writer, number).serve(http2.PREFACE_HEAD)
                    break
                if request is None or await self.exchange(request, Http1(reader, writer), number) != ("complete", False):
                    break
        except (ConnectionError, asyncio.IncompleteReadError, ssl.SSLError, ValueError):
            pass
        finally:
            writer.close()
            try:
                await writer.wait_closed()
            except (ConnectionError, ssl.SSLError, asyncio.CancelledError):
                pass


def tls_context(cert, key, protocols):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    context.set_alpn_protocols(protocols)
    return context


async def serve(args):
    provider, bound, servers = Provider(args), {}, []
    for name, protocols in (("tls", ["http/1.1"]), ("tls2", ["h2", "http/1.1"] if http2 else ["http/1.1"]), ("plain", None)):
        port = getattr(args, name)
        if port is None:
            continue
        context = tls_context(args.cert, args.key, protocols) if protocols else None
        server = await asyncio.start_server(
            provider.connection, "127.0.0.1", port, limit=1 << 20, backlog=512, ssl=context
        )
        servers.append(server)
        bound[name] = server.sockets[0].getsockname()[1]
    if args.unix:
        servers.append(await asyncio.start_unix_server(provider.connection, args.unix, limit=1 << 20))
        bound["unix"] = args.unix
    print(json.dumps(bound), flush=True)
    await asyncio.gather(*(server.serve_forever() for server in servers))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tls", type=int)
    parser.add_argument("--tls2", type=int)
    parser.add_argument("--cert")
    parser.add_argument("--key")
    parser.add_argument("--plain", type=int)
    parser.add_argument("--unix")
    parser.add_argument("--truth")
    parser.add_argument("--script")
    try:
        asyncio.run(serve(parser.parse_args()))
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
