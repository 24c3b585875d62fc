#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Calls at a steady pace, from the first line on stdin until SIGTERM. Each call carries its tag; each is told on stdout
once it is whole.

  load.py URL CA CALLS_PER_SECOND PREFIX [STREAMED]
"""

import http.client
import json
import signal
import ssl
import sys
import time
import urllib.parse

url, ca, rate, prefix = urllib.parse.urlsplit(sys.argv[1]), sys.argv[2], float(sys.argv[3]), sys.argv[4]
stop = []
signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
context = ssl.create_default_context(cafile=ca)
sys.stdin.readline()
connection, number, due = None, 0, time.monotonic()
while not stop:
    if connection is None or number % 20 == 0:
        if connection:
            connection.close()
        connection = http.client.HTTPSConnection(url.hostname, url.port, timeout=30, context=context)
    tag = f"{prefix}-{number}"
    body = json.dumps(
        {
            "model": "gpt-4o-mini",
            "stream": len(sys.argv) > 5,
            "messages": [{"role": "user", "content": f"[{tag}] hello"}],
        }
    )
    connection.request("POST", url.path, body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    size = len(answer.read())
    sys.stdout.write(json.dumps({"tag": tag, "t": time.time(), "response_bytes": size}) + "\n")
    sys.stdout.flush()
    number += 1
    due = max(due + 1 / rate, time.monotonic() - 1)
    time.sleep(max(0, due - time.monotonic()))
