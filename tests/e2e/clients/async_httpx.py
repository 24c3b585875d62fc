#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Concurrent calls by httpx in one event loop: TLS over memory BIOs."""

import asyncio

import httpx
from common import Count, arguments, body


async def one(client, url, tag, prompt, stream):
    data = body(tag, prompt, stream)
    count = Count(tag, data)
    async with client.stream("POST", url, content=data, headers={"Content-Type": "application/json"}) as answer:
        async for piece in answer.aiter_raw():
            count.take(piece)
    count.tell()


async def main():
    url, number, prompt, stream, prefix = arguments()
    limits = httpx.Limits(max_connections=number)
    async with httpx.AsyncClient(timeout=120, limits=limits) as client:
        await asyncio.gather(*(one(client, url, f"{prefix}-{i}", prompt, stream) for i in range(number)))


asyncio.run(main())
