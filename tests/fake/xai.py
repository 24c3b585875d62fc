#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""xAI's chat over gRPC: xai.py --truth FILE [--cert FILE --key FILE], with the messages of the package xai-sdk."""

import os
import sys

from xai_sdk.proto import chat_pb2 as chat
from xai_sdk.proto import chat_pb2_grpc as service
from xai_sdk.proto import sample_pb2 as sample
from xai_sdk.proto import usage_pb2

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import grpc_side  # noqa: E402
from answers import ARGUMENTS, dump, pieces_of_text  # noqa: E402

REASONING = 3


class Chat(service.ChatServicer):
    def __init__(self, truth):
        self.truth, self.serial = truth, 0

    def plan(self, request, method, streamed):
        """(texts, tool call or None, usage)"""
        self.serial = self.truth.next()
        texts = pieces_of_text({"serial": self.serial})
        names = [t.function.name for t in request.tools if t.HasField("function")]
        if any(m.role == chat.ROLE_TOOL for m in request.messages):
            names = []
        call = None
        if names:
            function = chat.FunctionCall(name=names[0], arguments=dump(ARGUMENTS))
            call = chat.ToolCall(id="call_1", type=chat.TOOL_CALL_TYPE_CLIENT_SIDE_TOOL, function=function)
        usage = usage_pb2.SamplingUsage(
            prompt_tokens=1200,
            prompt_text_tokens=1200,
            cached_prompt_text_tokens=1000,
            completion_tokens=len(texts),
            reasoning_tokens=REASONING,
            total_tokens=1200 + len(texts) + REASONING,
        )
        text = "" if call else "".join(texts)
        tools = [(names[0], ARGUMENTS)] if call else []
        counted = (1200, len(texts) + REASONING)
        self.truth.tell(f"/xai_api.Chat/{method}", "xai.chat", request.model, streamed, text, tools, counted)
        return texts, call, usage

    def GetCompletion(self, request, context):
        texts, call, usage = self.plan(request, "GetCompletion", False)
        message = chat.CompletionMessage(
            role=chat.ROLE_ASSISTANT, content="" if call else "".join(texts), tool_calls=[call] if call else []
        )
        reason = sample.REASON_TOOL_CALLS if call else sample.REASON_STOP
        return chat.GetChatCompletionResponse(
            id=f"xai-{self.serial:08d}",
            model=request.model,
            outputs=[chat.CompletionOutput(index=0, message=message, finish_reason=reason)],
            usage=usage,
        )

    def GetCompletionChunk(self, request, context):
        texts, call, usage = self.plan(request, "GetCompletionChunk", True)
        base = {"id": f"xai-{self.serial:08d}", "model": request.model}
        for part in [call] if call else texts:
            said = {"tool_calls": [part]} if call else {"content": part}
            delta = chat.Delta(role=chat.ROLE_ASSISTANT, **said)
            yield chat.GetChatCompletionChunk(outputs=[chat.CompletionOutputChunk(index=0, delta=delta)], **base)
        reason = sample.REASON_TOOL_CALLS if call else sample.REASON_STOP
        last = chat.CompletionOutputChunk(index=0, finish_reason=reason)
        yield chat.GetChatCompletionChunk(outputs=[last], usage=usage, **base)


if __name__ == "__main__":
    grpc_side.serve(lambda truth, server: service.add_ChatServicer_to_server(Chat(truth), server), __doc__)
