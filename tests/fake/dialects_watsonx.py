# SPDX-License-Identifier: Apache-2.0
"""IBM's watsonx.ai: chat completions under other names, and generation, whose pieces tell their counts so far."""

from answers import ARGUMENT_PARTS, ARGUMENTS, Answer, dump, offered, pieces_of_text, sse

EVENT_STREAM = "text/event-stream; charset=utf-8"


def numbered(bodies):
    """Events as they come: with an id and the same name."""
    return [f"id: {i}\n".encode() + sse(body, "message") for i, body in enumerate(bodies)]


def chat(request, options, streamed):
    texts, tool, model = pieces_of_text(options), offered(request), request.get("model_id")
    base = {
        "id": f"chat-{options['serial']:08d}",
        "object": "chat.completion.chunk" if streamed else "chat.completion",
        "model_id": model,
        "model": model,
        "created": 1760000000,
        "created_at": "2026-01-01T00:00:00.000Z",
    }
    usage = {"prompt_tokens": 1200, "completion_tokens": len(texts), "total_tokens": 1200 + len(texts)}
    call = {"id": "call_1", "type": "function", "function": {"name": tool, "arguments": "".join(ARGUMENT_PARTS)}}
    reason = "tool_calls" if tool else "stop"
    known = {
        "text": "" if tool else "".join(texts),
        "tools": [(tool, ARGUMENTS)] if tool else [],
        "usage": (1200, len(texts)),
        "model": model,
    }
    if not streamed:
        message = {"role": "assistant", **({"tool_calls": [call]} if tool else {"content": "".join(texts)})}
        choice = {"index": 0, "message": message, "finish_reason": reason}
        return Answer("watsonx.chat", [dump(dict(base, choices=[choice], usage=usage)).encode()], **known)
    parts = [dict(call, index=0, function={"name": "", "arguments": part}) for part in ARGUMENT_PARTS]
    parts = [dict(call, index=0, function={"name": tool, "arguments": ""}), *parts]
    deltas = [{"tool_calls": [part]} for part in parts] if tool else [{"content": text} for text in texts]
    deltas = [({"role": "assistant"}, None), *((delta, None) for delta in deltas), ({}, reason)]
    chunks = [dict(base, choices=[{"index": 0, "finish_reason": why, "delta": d}]) for d, why in deltas]
    return Answer("watsonx.chat", numbered([*chunks, dict(base, choices=[], usage=usage)]), True, EVENT_STREAM, **known)


def generation(request, options, streamed):
    texts, model = pieces_of_text(options), request.get("model_id")
    known = {"text": "".join(texts), "usage": (1200, len(texts)), "model": model}

    def body(text, made, asked, reason):
        result = {
            "generated_text": text,
            "generated_token_count": made,
            "input_token_count": asked,
            "stop_reason": reason,
        }
        return {"model_id": model, "created_at": "2026-01-01T00:00:00.000Z", "results": [result]}

    if not streamed:
        whole = body("".join(texts), len(texts), 1200, "eos_token")
        return Answer("watsonx.generation", [dump(whole).encode()], **known)
    bodies = [body("", 0, 1200, "not_finished")]
    bodies += [body(text, i + 1, 0, "not_finished") for i, text in enumerate(texts)]
    bodies.append(body("", len(texts), 0, "eos_token"))
    return Answer("watsonx.generation", numbered(bodies), True, EVENT_STREAM, **known)


def embeddings(request, options):
    results = [{"embedding": [0.25, -0.5, 1.0], "input": text} for text in request.get("inputs") or []]
    body = {"model_id": request.get("model_id"), "results": results, "input_token_count": 8}
    body["created_at"] = "2026-01-01T00:00:00.000Z"
    return Answer("watsonx.embeddings", [dump(body).encode()], usage=(8, None), model=request.get("model_id"))


def rerank(request, options):
    count = len(request.get("inputs") or [])
    results = [{"index": count - 1 - i, "score": 0.875 - i / 8} for i in range(count)]
    body = {"model_id": request.get("model_id"), "results": results, "input_token_count": 26}
    body["created_at"] = "2026-01-01T00:00:00.000Z"
    return Answer("watsonx.rerank", [dump(body).encode()], usage=(26, None), model=request.get("model_id"))


ROUTES = [
    ("/ml/v1/text/chat", lambda request, options: chat(request, options, False)),
    ("/ml/v1/text/chat_stream", lambda request, options: chat(request, options, True)),
    ("/ml/v1/text/generation", lambda request, options: generation(request, options, False)),
    ("/ml/v1/text/generation_stream", lambda request, options: generation(request, options, True)),
    ("/ml/v1/text/embeddings", embeddings),
    ("/ml/v1/text/rerank", rerank),
]
