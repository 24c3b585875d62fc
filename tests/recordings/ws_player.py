#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Both ends of recorded sockets: ws_player.py serve CERT KEY JOBS | dial PORT CA JOBS

A job is {"path", "host", "deflate", "binary", "messages": [[who, text], …]} with who "s" (the client sends) or "r" (it
receives). Either end sends its own messages when those before them have passed."""

import asyncio
import json
import ssl
import sys

import websockets

mode, jobs_path = sys.argv[1], sys.argv[4]
with open(jobs_path) as f:
    jobs = json.load(f)


async def play(socket, job, own):
    for who, text in job["messages"]:
        if who == own:
            await socket.send(text.encode() if job.get("binary") else text)
        else:
            await socket.recv()


async def serve():
    async def handler(socket):
        await play(socket, jobs[int(socket.request.path.split("case=")[1].split("/")[0])], "r")
        await socket.wait_closed()

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    async with websockets.serve(handler, "127.0.0.1", 0, ssl=context, max_size=None) as server:
        print(server.sockets[0].getsockname()[1], flush=True)
        await asyncio.Future()


async def dial():
    context = ssl.create_default_context(cafile=sys.argv[3])
    for number, job in enumerate(jobs):
        async with websockets.connect(
            f"wss://localhost:{sys.argv[2]}/x/case={number}{job['path']}",
            ssl=context,
            compression="deflate" if job["deflate"] else None,
            max_size=None,
            additional_headers={"Authorization": "Bearer sk-recorded"},
        ) as socket:
            await play(socket, job, "s")
    print(len(jobs))


asyncio.run(serve() if mode == "serve" else dial())
