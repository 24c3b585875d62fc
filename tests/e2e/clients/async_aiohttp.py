#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Concurrent calls by aiohttp in one event loop: TLS over memory BIOs."""

import asyncio
import os
import ssl

import aiohttp
from common import Count, arguments, body


async def one(session, url, tag, prompt, stream):
    data = body(tag, prompt, stream)
    count = Count(tag, data)
    async with session.post(url, data=data, headers={"Content-Type": "application/json"}) as answer:
        async for piece, _ in answer.content.iter_chunks():
            count.take(piece)
    count.tell()


async def main():
    url, number, prompt, stream, prefix = arguments()
    context = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])
    connector = aiohttp.TCPConnector(limit=number, ssl=context)
    async with aiohttp.ClientSession(
        connector=connector, auto_decompress=False, timeout=aiohttp.ClientTimeout(120)
    ) as session:
        await asyncio.gather(*(one(session, url, f"{prefix}-{i}", prompt, stream) for i in range(number)))


asyncio.run(main())
