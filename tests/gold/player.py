#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A bare client: puts the requests of gold files on the wire as the SDK did, and acts as their notes say. No SDK, so
that what a trace shows can only come from the bytes.

  player.py PORT CA FILE...        the provider serves the answers under /x/case=NAME
"""

import base64
import http.client
import json
import ssl
import sys
import time

KEY = "sk-gold-secret-0123456789"


def body_of(request):
    body = request.get("body")
    if isinstance(body, dict) and set(body) == {"base64"}:
        return base64.b64decode(body["base64"])
    if isinstance(body, str):
        return body.encode()
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False).encode() if body is not None else None


def headers_of(request):
    """Without traceparent: it would say that somebody else traces this call already."""
    return {k: v.replace("<key>", KEY) for k, v in request["headers"].items() if k != "traceparent"}


def patience(gold, exchange):
    """How long the client waits for an answer that does not come: until its own timeout, or its cancellation."""
    if "cancel" in (gold.get("note") or ""):
        return 0.4
    return float(exchange["request"]["headers"].get("x-stainless-read-timeout", 1))


def leaves_after(gold, exchange):
    """The number of body bytes after which the client closes, or None when it reads to the end."""
    response = exchange["response"]
    chunks = response.get("chunks") or []
    if not ("client closed" in (response.get("note") or "") or (chunks and str(chunks[-1]).startswith("<pause"))):
        return None
    return sum(
        len(base64.b64decode(c["base64"]) if isinstance(c, dict) else c.encode())
        for c in chunks
        if not str(c).startswith("<")
    )


def play(connection, gold, exchange):
    """One request and as much of its answer as the client of the case took. False when the connection is used up."""
    request, response = exchange["request"], exchange["response"]
    connection.request(
        request["method"], f"/x/case={gold['case']}{request['path']}", body_of(request), headers_of(request)
    )
    if response.get("status") is None:
        connection.sock.settimeout(patience(gold, exchange))
        try:
            connection.getresponse()
        except TimeoutError:
            return False
    answer, limit, taken = connection.getresponse(), leaves_after(gold, exchange), 0
    try:
        while limit is None or taken < limit:
            piece = answer.read1(65536)
            if not piece:
                answer.close()
                return True
            taken += len(piece)
    except (http.client.IncompleteRead, ConnectionError, ssl.SSLError):
        pass
    return False


def play_case(port, context, gold):
    connection = None
    for exchange in gold["exchanges"]:
        connection = connection or http.client.HTTPSConnection("localhost", port, context=context, timeout=20)
        if not play(connection, gold, exchange):
            connection.close()
            connection = None
        time.sleep(0.03)
    if connection:
        connection.close()


def main(port, ca, *paths):
    context = ssl.create_default_context(cafile=ca)
    for path in paths:
        with open(path) as f:
            gold = json.load(f)
        play_case(int(port), context, gold)
        print(gold["case"], flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
