# SPDX-License-Identifier: Apache-2.0
"""What answers of the smaller formats mean, read independently: rows as in wire.py."""

from harness.wire import arguments, chat_body, chat_stream, flat, known, thoughts


# ---- Cohere ----
def cohere_usage(usage):
    units = {**(usage.get("tokens") or {}), **(usage.get("billed_units") or {})}
    counts = {k: units.get(f"{k}_tokens") for k in ("input", "output")}
    return known(**{k: int(v) for k, v in counts.items() if v is not None})


def cohere_body(body):
    message = body.get("message") or {}
    return known(
        text=[flat(message.get("content"))] if flat(message.get("content")) else None,
        reasoning=(message.get("thoughts") or thoughts(message.get("content"))) + (message.get("tool_plan") or ""),
        tools=[(t["function"]["name"], arguments(t["function"]["arguments"])) for t in message.get("tool_calls") or []],
        finish=[body["finish_reason"]] if body.get("finish_reason") else None,
        usage=cohere_usage(body.get("usage") or {}),
    )


def cohere_stream(events):
    text, thought, plan, tools, end = "", "", "", {}, {}
    for event in events:
        delta, kind = event.get("delta") or {}, event["type"]
        message = delta.get("message") or {}
        if kind.startswith("content-"):
            text += ((message.get("content") or {}).get("text")) or ""
            thought += ((message.get("content") or {}).get("thinking")) or ""
        elif kind == "tool-plan-delta":
            plan += message.get("tool_plan") or ""
        elif kind in ("tool-call-start", "tool-call-delta"):
            function = message["tool_calls"]["function"]
            tool = tools.setdefault(event["index"], {"name": "", "arguments": ""})
            tool["name"] = function.get("name") or tool["name"]
            tool["arguments"] += function.get("arguments") or ""
        elif kind == "message-end":
            end = delta
    message = {"content": text, "thoughts": thought, "tool_plan": plan, "tool_calls": [{"function": tools[i]} for i in sorted(tools)]}
    return cohere_body({"message": message, **end})


def first_body(body):
    """/v1/chat: Cohere's first API, or chat completions of others."""
    if "choices" in body:
        return chat_body(body)
    return known(
        text=[body["text"]] if body.get("text") else None,
        tools=[(t["name"], t["parameters"]) for t in body.get("tool_calls") or []],
        finish=[body["finish_reason"]] if body.get("finish_reason") else None,
        usage=cohere_usage(body.get("meta") or {}),
    )


def first_stream(events):
    if "choices" in events[0]:
        return chat_stream(events)
    text = "".join(e.get("text") or "" for e in events if e["event_type"] == "text-generation")
    end = events[-1]
    found = first_body({**end["response"], "finish_reason": end["finish_reason"]})
    assert found["text"] == [text], "the pieces are not the whole"
    return found


def embed_body(body):
    usage = cohere_usage(body.get("meta") or {})
    return known(usage=usage and {**usage, "output": 0})  # vectors are no tokens


# ---- reranking ----
def rerank_body(body):
    results = body if isinstance(body, list) else body.get("results") or body.get("data")
    scores = [(r["index"], r.get("relevance_score", r.get("score"))) for r in results]
    usage = {} if isinstance(body, list) else body.get("usage") or {}
    asked = usage.get("prompt_tokens", usage.get("total_tokens"))
    return known(
        model=None if isinstance(body, list) else body.get("model"),
        documents=[{"id": str(index), "score": score} for index, score in scores],
        usage=asked and {"input": asked, "output": 0},
    )


# ---- Replicate: a promise, which says nothing yet ----
def promise_body(body):
    return known(model=body.get("model") if body.get("status") == "succeeded" else None)


ROWS = [
    ("/v2/chat", "cohere.chat", cohere_body, cohere_stream),
    ("/v1/chat", "cohere.v1.chat", first_body, first_stream),
    ("/embed", "cohere.embed", embed_body, None),
    ("/rerank", "rerank", rerank_body, None),
    ("/predictions", "replicate.predict", promise_body, None),
]
