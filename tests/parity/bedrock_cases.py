# SPDX-License-Identifier: Apache-2.0
"""The Amazon Bedrock part of the table in cases.py, with boto3."""

import base64
import json
import struct
import zlib

from cases import ATTEMPTS, CLOSED, NOT_TRACED, case

MODEL = "anthropic.claude-3-5-sonnet-20240620-v1:0"
QUESTION = [{"role": "user", "content": [{"text": "What is the capital of France? é 漢字"}]}]
TOOLS = {
    "tools": [
        {
            "toolSpec": {
                "name": "get_weather",
                "description": "Current weather in a city",
                "inputSchema": {"json": {"type": "object", "properties": {"city": {"type": "string"}}}},
            }
        }
    ]
}
USAGE = {"inputTokens": 31, "outputTokens": 12, "totalTokens": 43}
JSON = {"content-type": "application/json", "x-amzn-requestid": "req-parity-1"}


def frame(kind, value, payload):
    """One message of an event stream; @kind: event or exception."""
    headers = b""
    for name, text in ((":message-type", kind), (f":{kind}-type", value), (":content-type", "application/json")):
        headers += bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(text)) + text.encode()
    data = json.dumps(payload, separators=(",", ":"), ensure_ascii=False).encode()
    prelude = struct.pack(">II", 16 + len(headers) + len(data), len(headers))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + headers + data
    return message + struct.pack(">I", zlib.crc32(message))


def stream(*frames):
    return {
        "status": 200,
        "headers": dict(JSON, **{"content-type": "application/vnd.amazon.eventstream"}),
        "chunks": [{"base64": base64.b64encode(f).decode()} for f in frames],
    }


def event(kind, **payload):
    return frame("event", kind, payload)


def delta(index, **what):
    return event("contentBlockDelta", contentBlockIndex=index, delta=what)


def answer(*content, reason="end_turn", usage=None):
    return {
        "status": 200,
        "headers": JSON,
        "body": {
            "metrics": {"latencyMs": 455},
            "output": {"message": {"role": "assistant", "content": list(content)}},
            "stopReason": reason,
            "usage": usage or USAGE,
        },
    }


def refusal(status, kind, text):
    return {"status": status, "headers": dict(JSON, **{"x-amzn-ErrorType": kind}), "body": {"message": text}}


START = event("messageStart", role="assistant")
STOPS = [event("contentBlockStop", contentBlockIndex=i) for i in range(2)]
TEXT = [delta(0, text=t) for t in ("Par", "is — ", "ville lumière.")] + STOPS[:1]
TOOL = [
    event(
        "contentBlockStart",
        contentBlockIndex=1,
        start={"toolUse": {"toolUseId": "tooluse_1", "name": "get_weather"}},
    ),
    delta(1, toolUse={"input": '{"city":'}),
    delta(1, toolUse={"input": '"Paris"}'}),
    STOPS[1],
]


def end(reason="end_turn"):
    return [event("messageStop", stopReason=reason), event("metadata", metrics={"latencyMs": 5}, usage=USAGE)]


THROTTLED = refusal(429, "ThrottlingException", "Too many requests")


def bedrock(name, *script, **more):
    return case(f"bedrock_{name}", *script, sdk="bedrock", **more)


@bedrock("converse", answer({"text": "Paris — ville lumière."}))
def _(client):
    client.converse(
        modelId=MODEL,
        messages=QUESTION,
        system=[{"text": "Be terse."}],
        inferenceConfig={"maxTokens": 50, "temperature": 0.2},
    )


@bedrock(
    "converse_cache",
    answer({"text": "Paris."}, usage=dict(USAGE, cacheReadInputTokens=1000, cacheWriteInputTokens=50)),
)
def _(client):
    client.converse(modelId="us." + MODEL, messages=QUESTION)


@bedrock(
    "converse_tools",
    answer(
        {"text": "I look."},
        {"toolUse": {"toolUseId": "tooluse_1", "name": "get_weather", "input": {"city": "Paris"}}},
        reason="tool_use",
    ),
)
def _(client):
    client.converse(modelId=MODEL, messages=QUESTION, toolConfig=TOOLS)


@bedrock("converse_stream", stream(START, *TEXT, *end()))
def _(client):
    for _ in client.converse_stream(modelId=MODEL, messages=QUESTION)["stream"]:
        pass


@bedrock("converse_stream_tools", stream(START, *TEXT, *TOOL, *end("tool_use")))
def _(client):
    for _ in client.converse_stream(modelId=MODEL, messages=QUESTION, toolConfig=TOOLS)["stream"]:
        pass


@bedrock(
    "converse_stream_exception",
    stream(START, *TEXT, frame("exception", "modelStreamErrorException", {"message": "model broke"})),
    gap=NOT_TRACED,
)
def _(client):
    for _ in client.converse_stream(modelId=MODEL, messages=QUESTION)["stream"]:
        pass


@bedrock(
    "converse_stream_client_close",
    dict(stream(START, *TEXT[:2]), note="client closed the connection"),
    gap=CLOSED,
    end="client_cancel",
)
def _(client):
    events = client.converse_stream(modelId=MODEL, messages=QUESTION)["stream"]
    for number, _ in enumerate(events):
        if number == 2:
            break
    events.close()


@bedrock("error_throttling", THROTTLED)
def _(client):
    client.converse(modelId=MODEL, messages=QUESTION)


@bedrock("error_throttling_then_ok", THROTTLED, answer({"text": "Paris."}), retries=2, gap=ATTEMPTS)
def _(client):
    client.converse(modelId=MODEL, messages=QUESTION)


@bedrock(
    "invoke_model",
    {
        "status": 200,
        "headers": dict(JSON, **{"x-amzn-bedrock-input-token-count": "31"}),
        "body": {
            "id": "msg_bdrk_1",
            "type": "message",
            "role": "assistant",
            "model": "claude-3-5-sonnet-20240620",
            "content": [{"type": "text", "text": "Paris."}],
            "stop_reason": "end_turn",
            "usage": {"input_tokens": 31, "output_tokens": 12},
        },
    },
)
def _(client):
    body = {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 50,
        "messages": [{"role": "user", "content": "What is the capital of France?"}],
    }
    client.invoke_model(modelId=MODEL, body=json.dumps(body))["body"].read()


@bedrock(
    "invoke_embedding",
    {"status": 200, "headers": JSON, "body": {"embedding": [0.25, 0.5], "inputTextTokenCount": 3}},
)
def _(client):
    client.invoke_model(modelId="amazon.titan-embed-text-v2:0", body='{"inputText":"hello"}')["body"].read()
