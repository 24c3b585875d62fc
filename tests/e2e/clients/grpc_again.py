#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""grpc_again.py ADDRESS CA NUMBER: so many calls one after the other, each on a connection of its own, which is given up before the
next one is made; then as many at a time."""

import concurrent.futures
import sys

import grpc
from xai_sdk.proto import chat_pb2 as chat
from xai_sdk.proto import chat_pb2_grpc as service

address, ca, number = sys.argv[1], sys.argv[2], int(sys.argv[3])
with open(ca, "rb") as f:
    credentials = grpc.ssl_channel_credentials(f.read())


def ask(tag):
    said = chat.Message(role=chat.ROLE_USER, content=[chat.Content(text=f"[{tag}] " + "hello " * 5000)])
    with grpc.secure_channel(address, credentials, [("grpc.use_local_subchannel_pool", 1)]) as channel:
        request = chat.GetCompletionsRequest(model=f"grok-{tag}", messages=[said])
        service.ChatStub(channel).GetCompletion(request, timeout=30)


for i in range(number):
    ask(f"after-{i}")
with concurrent.futures.ThreadPoolExecutor(number) as pool:
    list(pool.map(ask, [f"beside-{i}" for i in range(number)]))
