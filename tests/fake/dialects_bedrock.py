# SPDX-License-Identifier: Apache-2.0
"""Bedrock: Converse, and InvokeModel with a body in Anthropic's words. Streams are event-stream frames with their two CRCs."""

import base64
import binascii
import json
import re
import struct
import urllib.parse

from answers import ARGUMENT_PARTS, ARGUMENTS, Answer, dump, pieces_of_text

MODEL = re.compile(r"/model/([^/]+)/")
EVENT_STREAM = "application/vnd.amazon.eventstream"


def frame(kind, value):
    """Prelude (two lengths, their CRC), headers, payload, CRC of all."""
    headers = b""
    for name, text in ((":event-type", kind), (":content-type", "application/json"), (":message-type", "event")):
        headers += bytes([len(name)]) + name.encode() + b"\x07" + struct.pack(">H", len(text)) + text.encode()
    payload = dump(value).encode()
    prelude = struct.pack(">II", 16 + len(headers) + len(payload), len(headers))
    whole = prelude + struct.pack(">I", binascii.crc32(prelude)) + headers + payload
    return whole + struct.pack(">I", binascii.crc32(whole))


def model_of(options):
    return urllib.parse.unquote(MODEL.search(options["path"])[1])


def offered(request):
    blocks = [b for m in request.get("messages") or [] for b in m.get("content") or []]
    if any("toolResult" in b for b in blocks):
        return None
    for tool in (request.get("toolConfig") or {}).get("tools") or []:
        return (tool.get("toolSpec") or {}).get("name")
    return None


def converse(request, options, streamed):
    texts, tool = pieces_of_text(options), offered(request)
    usage = {
        "inputTokens": 200,
        "outputTokens": len(texts),
        "totalTokens": 1200 + len(texts),
        "cacheReadInputTokens": 1000,
        "cacheWriteInputTokens": 0,
    }
    use = {"toolUseId": "tooluse_1", "name": tool}
    reason = "tool_use" if tool else "end_turn"
    known = {
        "text": "" if tool else "".join(texts),
        "tools": [(tool, ARGUMENTS)] if tool else [],
        "usage": (1200, len(texts)),
        "model": model_of(options),
        "headers": {"x-amzn-RequestId": f"aws-{options['serial']:08d}"},
    }
    if not streamed:
        content = [{"toolUse": dict(use, input=ARGUMENTS)}] if tool else [{"text": "".join(texts)}]
        body = {
            "output": {"message": {"role": "assistant", "content": content}},
            "stopReason": reason,
            "usage": usage,
            "metrics": {"latencyMs": 5},
        }
        return Answer("bedrock.converse", [dump(body).encode()], **known)
    pieces = [frame("messageStart", {"role": "assistant"})]
    if tool:
        pieces.append(frame("contentBlockStart", {"start": {"toolUse": use}, "contentBlockIndex": 0}))
    deltas = [{"toolUse": {"input": part}} for part in ARGUMENT_PARTS] if tool else [{"text": t} for t in texts]
    pieces += [frame("contentBlockDelta", {"delta": d, "contentBlockIndex": 0, "p": "abcd"}) for d in deltas]
    pieces += [
        frame("contentBlockStop", {"contentBlockIndex": 0}),
        frame("messageStop", {"stopReason": reason}),
        frame("metadata", {"usage": usage, "metrics": {"latencyMs": 5}}),
    ]
    return Answer("bedrock.converse", pieces, True, EVENT_STREAM, **known)


def invoke(request, options, streamed):
    """The inner answer is Anthropic's; its events travel as base64 in frames, and the last one carries the metrics."""
    import dialects

    inner = dialects.messages(dict(request, stream=streamed, model="claude"), options)
    known = {
        "text": inner.text,
        "tools": inner.tools,
        "usage": inner.usage,
        "model": model_of(options),
        "headers": {
            "x-amzn-RequestId": f"aws-{options['serial']:08d}",
            "X-Amzn-Bedrock-Input-Token-Count": "200",
            "X-Amzn-Bedrock-Output-Token-Count": str(inner.usage[1]),
            "X-Amzn-Bedrock-Cache-Read-Input-Token-Count": "1000",
        },
    }
    if not streamed:
        return Answer("bedrock.invoke", inner.pieces, **known)
    pieces = []
    for piece in inner.pieces:
        event = json.loads(piece.decode().split("data: ", 1)[1])
        if event["type"] == "message_stop":
            event["amazon-bedrock-invocationMetrics"] = {
                "inputTokenCount": 200,
                "outputTokenCount": inner.usage[1],
                "cacheReadInputTokenCount": 1000,
                "invocationLatency": 9,
                "firstByteLatency": 5,
            }
        pieces.append(frame("chunk", {"bytes": base64.b64encode(dump(event).encode()).decode(), "p": "abcdef"}))
    return Answer("bedrock.invoke", pieces, True, EVENT_STREAM, **known)


ROUTES = [
    ("/converse", lambda request, options: converse(request, options, False)),
    ("/converse-stream", lambda request, options: converse(request, options, True)),
    ("/invoke", lambda request, options: invoke(request, options, False)),
    ("/invoke-with-response-stream", lambda request, options: invoke(request, options, True)),
]
