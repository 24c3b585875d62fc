# SPDX-License-Identifier: Apache-2.0
"""Amazon Bedrock's and SageMaker's wire, read a second time and independently of the tracer (see wire.py)."""

import base64
import json
import re
import struct
import zlib

from harness import wire
from harness.wire import arguments, known


# ---- the frame ----
def headers_of(data):
    """The text headers of one message; the other types are only passed over."""
    sizes, out, at = {0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16}, {}, 0
    while at < len(data):
        end = at + 1 + data[at]
        name, kind = data[at + 1 : end].decode(), data[end]
        at = end + 1
        if kind in (6, 7):
            size = struct.unpack_from(">H", data, at)[0]
            at += 2
            if kind == 7:
                out[name] = data[at : at + size].decode()
        else:
            size = sizes[kind]
        at += size
    return out


def frames_of(data):
    """[(headers, payload)] of an event stream, both checksums checked."""
    out, at = [], 0
    while at < len(data):
        total, size, crc = struct.unpack_from(">III", data, at)
        if zlib.crc32(data[at : at + 8]) != crc:
            raise ValueError("checksum of a prelude")
        if zlib.crc32(data[at : at + total - 4]) != struct.unpack_from(">I", data, at + total - 4)[0]:
            raise ValueError("checksum of a message")
        out.append((headers_of(data[at + 12 : at + 12 + size]), data[at + 12 + size : at + total - 4]))
        at += total
    return out


def events_of(data):
    """[(type, object)] of the events; exceptions end the answer and are left out."""
    return [
        (headers[":event-type"], json.loads(payload))
        for headers, payload in frames_of(data)
        if headers.get(":message-type") == "event"
    ]


# ---- Converse ----
def converse_usage(usage):
    if not usage:
        return None
    read = usage.get("cacheReadInputTokens", usage.get("cacheReadInputTokenCount"))
    made = usage.get("cacheWriteInputTokens", usage.get("cacheWriteInputTokenCount"))
    inputs, outputs = usage.get("inputTokens", 0) + (read or 0) + (made or 0), usage.get("outputTokens")
    total = None if outputs is None else inputs + outputs
    found = {"input": inputs, "output": outputs, "total": total, "cached": read, "cache_written": made}
    return {k: v for k, v in found.items() if v is not None}


def converse_body(body):
    content = ((body.get("output") or {}).get("message") or {}).get("content") or []
    said = [t for b in content for t in (b.get("citationsContent") or {}).get("content") or [b]]
    texts = [t["text"] for t in said if t.get("text")]
    return known(
        usage=converse_usage(body.get("usage")),
        text=["".join(texts)] if texts else None,
        reasoning="".join(
            (b["reasoningContent"].get("reasoningText") or {}).get("text") or ""
            for b in content
            if b.get("reasoningContent")
        ),
        tools=[(b["toolUse"].get("name"), arguments(b["toolUse"].get("input"))) for b in content if b.get("toolUse")],
        finish=[body["stopReason"]] if body.get("stopReason") else None,
    )


def converse_events(events):
    blocks, body = {}, {}
    for kind, event in events:
        at = event.get("contentBlockIndex", 0) if isinstance(event, dict) else 0
        if kind == "contentBlockStart":
            if (event.get("start") or {}).get("toolUse"):
                blocks[at] = {"toolUse": dict(event["start"]["toolUse"], input="")}
        elif kind == "contentBlockDelta":
            delta = event.get("delta") or {}
            if "text" in delta:
                block = blocks.setdefault(at, {})
                block["text"] = block.get("text", "") + delta["text"]
            elif "toolUse" in delta:
                blocks.setdefault(at, {"toolUse": {"input": ""}})["toolUse"]["input"] += delta["toolUse"]["input"]
            elif "reasoningContent" in delta:
                block = blocks.setdefault(at, {"reasoningContent": {"reasoningText": {"text": ""}}})
                block["reasoningContent"]["reasoningText"]["text"] += delta["reasoningContent"].get("text") or ""
        elif kind == "messageStop":
            body["stopReason"] = event.get("stopReason")
        elif kind == "metadata":
            body["usage"] = event.get("usage")
    return converse_body(dict(body, output={"message": {"content": [blocks[i] for i in sorted(blocks)]}}))


def converse_stream(data):
    return converse_events(events_of(data))


# ---- InvokeModel: the vendors' own formats ----
TEXT_PLACES = [
    ("generation",),
    ("completion",),
    ("outputText",),
    ("results", 0, "outputText"),
    ("outputs", 0, "text"),
    ("generations", 0, "text"),
    ("text",),
    ("completions", 0, "data", "text"),
    ("choices", 0, "text"),
    ("generated_text",),
]
REASON_PLACES = [
    ("stop_reason",),
    ("completionReason",),
    ("results", 0, "completionReason"),
    ("outputs", 0, "stop_reason"),
    ("generations", 0, "finish_reason"),
    ("finish_reason",),
    ("completions", 0, "finishReason", "reason"),
    ("choices", 0, "finish_reason"),
]


def place(body, places):
    for steps in places:
        value = body
        for step in steps:
            if isinstance(step, int):
                value = value[step] if isinstance(value, list) and len(value) > step else None
            else:
                value = value.get(step) if isinstance(value, dict) else None
        if isinstance(value, str):
            return value
    return None


def metrics_usage(metrics):
    if not metrics:
        return None
    read, made = metrics.get("cacheReadInputTokenCount"), metrics.get("cacheWriteInputTokenCount")
    inputs, outputs = metrics.get("inputTokenCount", 0) + (read or 0) + (made or 0), metrics.get("outputTokenCount", 0)
    return known(input=inputs, output=outputs, total=inputs + outputs)


def plain_usage(body):
    """Of one body, or of all members of a stream's events together. Embeddings write nothing."""
    usage = body.get("usage") or {}
    inputs = body.get("prompt_token_count", body.get("inputTextTokenCount", usage.get("prompt_tokens")))
    outputs = body.get(
        "generation_token_count", body.get("totalOutputTextTokenCount", usage.get("completion_tokens"))
    )
    results = body.get("results")
    if isinstance(results, list) and results and isinstance(results[0], dict) and "tokenCount" in results[0]:
        outputs = results[0]["tokenCount"]
    if "embedding" in body and inputs is not None:
        return {"input": inputs, "output": 0}
    return known(input=inputs and int(inputs), output=outputs and int(outputs))


def invoke_body(body):
    if body.get("type") == "message":
        found = wire.messages_body(body)
        if found.get("text"):
            found["text"] = ["".join(found["text"])]
        return found
    if "stopReason" in body:
        return converse_body(body)
    if body.get("choices") and "message" in body["choices"][0]:
        return wire.chat_body(body)
    text, reason = place(body, TEXT_PLACES), place(body, REASON_PLACES)
    return known(usage=plain_usage(body), text=[text] if text else None, finish=[reason] if reason else None)


def invoke_stream(data):
    events = [json.loads(base64.b64decode(e["bytes"])) for kind, e in events_of(data) if kind == "chunk"]
    metrics = next((m for e in events if (m := e.get("amazon-bedrock-invocationMetrics"))), None)
    if any(e.get("type") == "message_start" for e in events):
        out = wire.messages_stream(events)
        if out.get("text"):
            out["text"] = ["".join(out["text"])]
    elif any("messageStart" in e for e in events):
        out = converse_events([next(iter(e.items())) for e in events])
    elif any(e.get("choices") and "delta" in e["choices"][0] for e in events):
        out = wire.chat_stream(events)
    else:
        texts = [place(e, TEXT_PLACES) or "" for e in events]
        reason = next((r for e in reversed(events) if (r := place(e, REASON_PLACES))), None)
        merged = {k: v for e in events for k, v in e.items()}
        out = known(text=["".join(texts)], finish=[reason] if reason else None, usage=plain_usage(merged))
    if "usage" not in out:
        out.update(known(usage=metrics_usage(metrics)))
    return out


def sagemaker_body(body):
    """Hugging Face's text generation, or whatever the container speaks."""
    return invoke_body(body[0] if isinstance(body, list) else body)


def of_outputs(outputs):
    """What a span's outputs say, or None when they are not of this family."""
    if not isinstance(outputs, dict):
        return None
    if isinstance(outputs.get("output"), dict) and "message" in outputs["output"]:
        return converse_body(outputs)
    if any(k in outputs for k in ("generation", "results", "outputs", "generations", "completions")):
        return {k: v for k, v in invoke_body(outputs).items() if k == "text"}
    return None


ROWS = [
    (re.compile(r"/model/[^?]*/converse$"), "bedrock.converse", converse_body, None),
    (re.compile(r"/model/[^?]*/converse-stream$"), "bedrock.converse", converse_body, converse_stream),
    (re.compile(r"/model/[^?]*/invoke$"), "bedrock.invoke", invoke_body, None),
    (re.compile(r"/model/[^?]*/invoke-with-response-stream$"), "bedrock.invoke", invoke_body, invoke_stream),
    (re.compile(r"/endpoints/[^/]*/invocations$"), "sagemaker.invoke", sagemaker_body, None),
]
