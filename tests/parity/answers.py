# SPDX-License-Identifier: Apache-2.0
"""What the fake provider says in the parity cases: bodies and streams in the shape of the real services."""

import base64
import json
import struct

SSE = {"content-type": "text/event-stream; charset=utf-8", "x-request-id": "req-parity-1"}
JSON = {"content-type": "application/json", "x-request-id": "req-parity-1"}

OPENAI_USAGE = {
    "prompt_tokens": 31,
    "completion_tokens": 12,
    "total_tokens": 43,
    "prompt_tokens_details": {"cached_tokens": 8, "audio_tokens": 0},
    "completion_tokens_details": {
        "reasoning_tokens": 4,
        "audio_tokens": 0,
        "accepted_prediction_tokens": 0,
        "rejected_prediction_tokens": 0,
    },
}


def body(value, status=200, **headers):
    return {"status": status, "headers": {**JSON, **headers}, "body": value}


def stream(chunks):
    return {"status": 200, "headers": SSE, "chunks": chunks}


def sse(value, event=None):
    text = value if isinstance(value, str) else json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return (f"event: {event}\n" if event else "") + f"data: {text}\n\n"


# ---- OpenAI chat ----
def chat(*messages, finish="stop", model="gpt-4o-mini-2024-07-18", **more):
    choices = [
        {
            "index": i,
            "message": {"role": "assistant", "content": None, "refusal": None, "annotations": [], **m},
            "logprobs": None,
            "finish_reason": finish,
        }
        for i, m in enumerate(messages)
    ]
    return body(
        {
            "id": "chatcmpl-Par1",
            "object": "chat.completion",
            "created": 1761000000,
            "model": model,
            "choices": choices,
            "usage": OPENAI_USAGE,
            "service_tier": "default",
            "system_fingerprint": "fp_parity",
            **more,
        }
    )


def call(name, arguments, number=1, **index):
    return {**index, "id": f"call_{number}", "type": "function", "function": {"name": name, "arguments": arguments}}


def chunk(delta, finish=None, index=0, usage=False):
    value = {
        "id": "chatcmpl-Par2",
        "object": "chat.completion.chunk",
        "created": 1761000001,
        "model": "gpt-4o-mini-2024-07-18",
        "service_tier": "default",
        "system_fingerprint": "fp_parity",
        "choices": [{"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}],
    }
    return sse(dict(value, choices=[], usage=OPENAI_USAGE) if usage else value)


def chat_stream(deltas, finish="stop", usage=True, done=True):
    chunks = (
        [chunk({"role": "assistant", "content": "", "refusal": None})]
        + [chunk(d) for d in deltas]
        + [chunk({}, finish)]
    )
    return stream(chunks + ([chunk({}, usage=True)] if usage else []) + ([sse("[DONE]")] if done else []))


TEXT_DELTAS = [{"content": t} for t in ("Par", "is — ", "ville ", "lumière ", "\U0001f1eb\U0001f1f7", ".")]
TOOL_DELTAS = [
    {"tool_calls": [call("get_weather", "", 1, index=0)]},
    {"tool_calls": [{"index": 0, "function": {"arguments": '{"city":'}}]},
    {"tool_calls": [{"index": 0, "function": {"arguments": '"Paris"}'}}]},
    {"tool_calls": [call("get_weather", '{"city":"Rome"}', 2, index=1)]},
]


# ---- OpenAI responses ----
def response(*items, status="completed", number=1, **more):
    return {
        "id": f"resp_par{number}",
        "object": "response",
        "created_at": 1761000002,
        "status": status,
        "background": False,
        "error": None,
        "incomplete_details": None,
        "instructions": None,
        "max_output_tokens": None,
        "model": "gpt-4o-mini-2024-07-18",
        "output": list(items),
        "parallel_tool_calls": True,
        "previous_response_id": None,
        "reasoning": {"effort": None, "summary": None},
        "store": True,
        "temperature": 1.0,
        "text": {"format": {"type": "text"}, "verbosity": "medium"},
        "tool_choice": "auto",
        "tools": [],
        "top_p": 1.0,
        "truncation": "disabled",
        "metadata": {},
        "usage": {
            "input_tokens": 36,
            "input_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 0},
            "output_tokens": 9,
            "output_tokens_details": {"reasoning_tokens": 2},
            "total_tokens": 45,
        }
        if status == "completed"
        else None,
        **more,
    }


def output_text(text, **more):
    return {
        "id": "msg_par1",
        "type": "message",
        "status": "completed",
        "role": "assistant",
        "content": [{"type": "output_text", "annotations": [], "logprobs": [], "text": text}],
        **more,
    }


def function_call(name, arguments):
    return {
        "id": "fc_par1",
        "type": "function_call",
        "status": "completed",
        "arguments": arguments,
        "call_id": "call_par1",
        "name": name,
    }


def responses_stream(texts, **more):
    item, events = output_text("".join(texts)), []

    def add(kind, **fields):
        events.append(sse({"type": kind, "sequence_number": len(events), **fields}, kind))

    at = {"item_id": item["id"], "output_index": 0, "content_index": 0}
    add("response.created", response=response(status="in_progress", **more))
    add("response.in_progress", response=response(status="in_progress", **more))
    add("response.output_item.added", output_index=0, item=dict(item, content=[], status="in_progress"))
    add("response.content_part.added", part=dict(item["content"][0], text=""), **at)
    for text in texts:
        add("response.output_text.delta", delta=text, logprobs=[], **at)
    add("response.output_text.done", text="".join(texts), logprobs=[], **at)
    add("response.content_part.done", part=item["content"][0], **at)
    add("response.output_item.done", output_index=0, item=item)
    add("response.completed", response=response(item, **more))
    return stream(events)


# ---- OpenAI embeddings, completions ----
VECTOR = [0.1, 0.25, -0.5, 1.0, 3.5e-05]


def embeddings(count, as_base64=True):
    packed = base64.b64encode(struct.pack(f"<{len(VECTOR)}f", *VECTOR)).decode()
    data = [{"object": "embedding", "index": i, "embedding": packed if as_base64 else VECTOR} for i in range(count)]
    return body(
        {
            "object": "list",
            "data": data,
            "model": "text-embedding-3-small",
            "usage": {"prompt_tokens": 8, "total_tokens": 8},
        }
    )


def completion(text):
    return body(
        {
            "id": "cmpl-Par1",
            "object": "text_completion",
            "created": 1761000003,
            "model": "gpt-3.5-turbo-instruct",
            "choices": [{"text": text, "index": 0, "logprobs": None, "finish_reason": "length"}],
            "usage": OPENAI_USAGE,
        }
    )


def openai_error(status, kind, message, code=None):
    return body(
        {"error": {"message": message, "type": kind, "param": None, "code": code}}, status, **{"retry-after-ms": "10"}
    )


# ---- Anthropic ----
def anthropic_usage(**more):
    return {
        "input_tokens": 21,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 0,
        "cache_creation": {"ephemeral_5m_input_tokens": 0, "ephemeral_1h_input_tokens": 0},
        "output_tokens": 17,
        "service_tier": "standard",
        **more,
    }


def message(*blocks, stop="end_turn", usage=None, number=1):
    return body(
        {
            "model": "claude-sonnet-4-5-20250929",
            "id": f"msg_par{number}",
            "type": "message",
            "role": "assistant",
            "content": list(blocks),
            "stop_reason": stop,
            "stop_sequence": None,
            "usage": usage or anthropic_usage(),
        },
        **{"request-id": "req_parity"},
    )


def text(value):
    return {"type": "text", "text": value}


def tool_use(name, value):
    return {"type": "tool_use", "id": "toolu_par1", "name": name, "input": value}


def message_stream(blocks, stop="end_turn"):
    """@blocks: [(the block as it starts, [deltas])…]"""
    start = {
        "model": "claude-sonnet-4-5-20250929",
        "id": "msg_par2",
        "type": "message",
        "role": "assistant",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": anthropic_usage(output_tokens=1, cache_read_input_tokens=100),
    }
    events = [{"type": "message_start", "message": start}]
    for index, (block, deltas) in enumerate(blocks):
        events.append({"type": "content_block_start", "index": index, "content_block": block})
        events += [{"type": "ping"}] if index == 0 else []
        events += [{"type": "content_block_delta", "index": index, "delta": d} for d in deltas]
        events.append({"type": "content_block_stop", "index": index})
    events += [
        {
            "type": "message_delta",
            "delta": {"stop_reason": stop, "stop_sequence": None},
            "usage": {"output_tokens": 23},
        },
        {"type": "message_stop"},
    ]
    return stream([sse(e, e["type"]) for e in events])


def text_deltas(*texts):
    return [{"type": "text_delta", "text": t} for t in texts]


def anthropic_error(status, kind, words):
    return body(
        {"type": "error", "error": {"type": kind, "message": words}, "request_id": "req_parity"},
        status,
        **{"request-id": "req_parity"},
    )
