#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Blocking calls by requests, a thread each."""

import threading

import requests
from common import Count, arguments, body


def one(url, tag, prompt, stream):
    data = body(tag, prompt, stream)
    count = Count(tag, data)
    with requests.post(
        url, data=data, headers={"Content-Type": "application/json"}, stream=True, timeout=120
    ) as answer:
        for piece in answer.raw.stream(65536, decode_content=False):
            count.take(piece)
    count.tell()


url, number, prompt, stream, prefix = arguments()
threads = [threading.Thread(target=one, args=(url, f"{prefix}-{i}", prompt, stream)) for i in range(number)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
