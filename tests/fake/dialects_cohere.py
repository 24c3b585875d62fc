# SPDX-License-Identifier: Apache-2.0
"""Cohere's second API (chat, rerank, embed), chat and embed of its first, and Voyage where it differs from OpenAI's embeddings."""

from answers import ARGUMENT_PARTS, ARGUMENTS, Answer, dump, offered, pieces_of_text, sse


def chat(request, options):
    texts, tool = pieces_of_text(options), offered(request)
    usage = {
        "billed_units": {"input_tokens": 1200, "output_tokens": len(texts)},
        "tokens": {"input_tokens": 1300, "output_tokens": len(texts) + 2},
        "cached_tokens": 1000,
    }
    reason = "TOOL_CALL" if tool else "COMPLETE"
    call = {"id": "call_1", "type": "function", "function": {"name": tool, "arguments": "".join(ARGUMENT_PARTS)}}
    ident = f"co-{options['serial']:08d}"
    known = {
        "text": "" if tool else "".join(texts),
        "tools": [(tool, ARGUMENTS)] if tool else [],
        "usage": (1200, len(texts)),
    }
    if not request.get("stream"):
        message = {"role": "assistant"}
        message.update({"tool_calls": [call]} if tool else {"content": [{"type": "text", "text": "".join(texts)}]})
        body = {"id": ident, "finish_reason": reason, "message": message, "usage": usage}
        return Answer("cohere.chat", [dump(body).encode()], **known)
    events = [("message-start", {"id": ident, "delta": {"message": {"role": "assistant", "content": []}}})]
    if tool:
        start = dict(call, function={"name": tool, "arguments": ""})
        events.append(("tool-call-start", {"index": 0, "delta": {"message": {"tool_calls": start}}}))
        events += [
            ("tool-call-delta", {"index": 0, "delta": {"message": {"tool_calls": {"function": {"arguments": part}}}}})
            for part in ARGUMENT_PARTS
        ]
        events.append(("tool-call-end", {"index": 0}))
    else:
        content = {"type": "text", "text": ""}
        events.append(("content-start", {"index": 0, "delta": {"message": {"content": content}}}))
        events += [
            ("content-delta", {"index": 0, "delta": {"message": {"content": {"text": text}}}}) for text in texts
        ]
        events.append(("content-end", {"index": 0}))
    events.append(("message-end", {"delta": {"finish_reason": reason, "usage": usage}}))
    pieces = [sse(dict(body, type=kind), kind) for kind, body in events]
    return Answer("cohere.chat", pieces, True, "text/event-stream", **known)


def first_chat(request, options):
    """One message, and one object a line where it streams; the last line holds the whole answer."""
    texts, ident = pieces_of_text(options), f"co-{options['serial']:08d}"
    whole = {
        "response_id": ident,
        "text": "".join(texts),
        "generation_id": ident + "-g",
        "chat_history": [
            {"role": "USER", "message": request.get("message")},
            {"role": "CHATBOT", "message": "".join(texts)},
        ],
        "finish_reason": "COMPLETE",
        "meta": {
            "api_version": {"version": "1"},
            "billed_units": {"input_tokens": 1200, "output_tokens": len(texts)},
            "tokens": {"input_tokens": 1300, "output_tokens": len(texts) + 2},
        },
    }
    known = {"text": "".join(texts), "usage": (1200, len(texts))}
    if not request.get("stream"):
        return Answer("cohere.v1.chat", [dump(whole).encode()], **known)
    events = [{"event_type": "stream-start", "generation_id": ident + "-g"}]
    events += [{"event_type": "text-generation", "text": text} for text in texts]
    lines = [dict(event, is_finished=False) for event in events]
    lines.append({"is_finished": True, "event_type": "stream-end", "finish_reason": "COMPLETE", "response": whole})
    pieces = [(dump(line) + "\n").encode() for line in lines]
    return Answer("cohere.v1.chat", pieces, True, "application/stream+json", **known)


def scores(request):
    count = len(request.get("documents") or [])
    wanted = request.get("top_n") or request.get("top_k") or count
    return [{"index": count - 1 - i, "relevance_score": 0.875 - i / 8} for i in range(min(count, wanted))]


def rerank(request, options):
    """Voyage asks by top_k and is answered under "data", Cohere by top_n and "results"."""
    if "/v2/" in options["path"]:
        body = {
            "id": f"rr-{options['serial']:08d}",
            "results": scores(request),
            "meta": {"billed_units": {"search_units": 1}},
        }
        return Answer("cohere.rerank", [dump(body).encode()])
    body = {
        "object": "list",
        "data": scores(request),
        "model": request.get("model"),
        "usage": {"total_tokens": 26},
    }
    return Answer("voyage.rerank", [dump(body).encode()], usage=(26, None))


def embed(request, options):
    count = len(request.get("texts") or request.get("inputs") or [1])
    body = {
        "id": f"em-{options['serial']:08d}",
        "embeddings": {"float": [[0.25, -0.5, 1.0]] * count},
        "texts": request.get("texts") or [],
        "meta": {"api_version": {"version": "2"}, "billed_units": {"input_tokens": 8}},
    }
    return Answer("cohere.embed", [dump(body).encode()], usage=(8, None))


def first_embed(request, options):
    """Vectors without a type around them, where none was asked for."""
    answer = embed(request, options)
    if not request.get("embedding_types"):
        body = {
            "id": f"em-{options['serial']:08d}",
            "response_type": "embeddings_floats",
            "embeddings": [[0.25, -0.5, 1.0]] * len(request.get("texts") or [1]),
            "texts": request.get("texts") or [],
            "meta": {"api_version": {"version": "1"}, "billed_units": {"input_tokens": 8}},
        }
        answer.pieces = [dump(body).encode()]
    return answer


ROUTES = [
    ("/v2/chat", chat),
    ("/v2/rerank", rerank),
    ("/v2/embed", embed),
    ("/v1/embed", first_embed),
    ("/rerank", rerank),
]
