# SPDX-License-Identifier: Apache-2.0
"""DashScope, Alibaba's own format: what is asked stands in "input", how in "parameters". A stream, which a header asks
for, says all so far again in each event, unless it is asked for pieces; no mark stands at its end."""

from answers import ARGUMENT_PARTS, ARGUMENTS, Answer, dump, offered, pieces_of_text

EVENT_STREAM = "text/event-stream;charset=UTF-8"
THOUGHTS = ("Let me ", "think.")


def numbered(bodies):
    """Events as they come: their status in a comment."""
    head = "event:result\n:HTTP_STATUS/200\n"
    return [f"id:{i}\n{head}data:{dump(body)}\n\n".encode() for i, body in enumerate(bodies, 1)]


def steps_of(parts, growing):
    """("a", "b") as they come: one by one, or grown by one."""
    return ["".join(parts[: i + 1]) if growing else part for i, part in enumerate(parts)]


def tool_messages(tool, growing):
    call = {"index": 0, "id": "call_1", "type": "function"}
    for i, arguments in enumerate(steps_of(ARGUMENT_PARTS, growing)):
        is_named = growing or i == 0
        function = {"name": tool, "arguments": arguments} if is_named else {"arguments": arguments}
        told = dict(call, id=call["id"] if is_named else "", function=function)
        yield {"role": "assistant", "content": "", "tool_calls": [told]}


def text_messages(texts, thinks, growing, content):
    thoughts = list(steps_of(THOUGHTS, growing)) if thinks else []
    for thought in thoughts:
        yield {"role": "assistant", "content": content(""), "reasoning_content": thought}
    rest = {"reasoning_content": thoughts[-1] if growing else ""} if thinks else {}
    for text in steps_of(texts, growing):
        yield {"role": "assistant", "content": content(text), **rest}


def usage_of(made):
    details = {"prompt_tokens_details": {"cached_tokens": 1000}}
    return {"input_tokens": 1200, "output_tokens": made, "total_tokens": 1200 + made, **details}


def envelope(options, output, usage):
    return {"output": output, "usage": usage, "request_id": f"ds-{options['serial']:08d}"}


def chat(request, options, content):
    asked, how = request.get("input") or {}, request.get("parameters") or {}
    texts, growing = pieces_of_text(options), not how.get("incremental_output")
    tool = offered({"messages": asked.get("messages"), "tools": how.get("tools")})
    known = {
        "text": "" if tool else "".join(texts),
        "tools": [(tool, ARGUMENTS)] if tool else [],
        "usage": (1200, len(texts)),
    }

    def output(message, reason):
        if how.get("result_format") == "message" or isinstance(message["content"], list) or tool:
            return {"choices": [{"message": message, "finish_reason": reason}]}
        return {"finish_reason": reason, "text": message["content"]}

    made = [list(text_messages(texts, how.get("enable_thinking"), g, content)) for g in (growing, True)]
    if tool:
        made = [list(tool_messages(tool, g)) for g in (growing, True)]
    messages, whole = made[0], made[1][-1]
    last = whole if growing else {"role": "assistant", "content": content("")}
    reason = "tool_calls" if tool else "stop"
    if not options["dashscope_sse"]:
        body = envelope(options, output(whole, reason), usage_of(len(texts)))
        return Answer("dashscope.chat", [dump(body).encode()], **known)
    bodies = [envelope(options, output(m, "null"), usage_of(min(i, len(texts)))) for i, m in enumerate(messages, 1)]
    bodies.append(envelope(options, output(last, reason), usage_of(len(texts))))
    return Answer("dashscope.chat", numbered(bodies), True, EVENT_STREAM, **known)


def app(request, options):
    texts, growing = pieces_of_text(options), not (request.get("parameters") or {}).get("incremental_output")
    known = {"text": "".join(texts), "usage": (1200, len(texts)), "model": "qwen-matrix"}

    def body(text, reason, made):
        output = {"session_id": "s-1", "finish_reason": reason, "text": text}
        counted = {"models": [{"input_tokens": 1200, "output_tokens": made, "model_id": "qwen-matrix"}]} if made else {}
        return envelope(options, output, counted)

    if not options["dashscope_sse"]:
        return Answer("dashscope.app", [dump(body("".join(texts), "stop", len(texts))).encode()], **known)
    steps = steps_of(texts, growing)
    bodies = [body(text, "null", i) for i, text in enumerate(steps)]
    bodies.append(body(steps[-1] if growing else "", "stop", len(texts)))
    return Answer("dashscope.app", numbered(bodies), True, EVENT_STREAM, **known)


def embed(request, options):
    count = len((request.get("input") or {}).get("texts") or [])
    vectors = [{"text_index": i, "embedding": [0.25, -0.5, 1.0]} for i in range(count)]
    body = envelope(options, {"embeddings": vectors}, {"total_tokens": 8})
    return Answer("dashscope.embed", [dump(body).encode()], usage=(8, None))


def rerank(request, options):
    count = len((request.get("input") or {}).get("documents") or [])
    results = [{"index": count - 1 - i, "relevance_score": 0.875 - i / 8} for i in range(count)]
    body = envelope(options, {"results": results}, {"total_tokens": 26})
    return Answer("dashscope.rerank", [dump(body).encode()], usage=(26, None))


def completion(request, options):
    """An application's; others have this end of a path too."""
    import dialects

    return (app if "/apps/" in options["path"] else dialects.other)(request, options)


ROUTES = [
    ("/text-generation/generation", lambda request, options: chat(request, options, lambda text: text)),
    (
        "/multimodal-generation/generation",
        lambda request, options: chat(request, options, lambda text: [{"text": text}] if text else []),
    ),
    ("/completion", completion),
    ("/text-embedding/text-embedding", embed),
    ("/text-rerank/text-rerank", rerank),
]
