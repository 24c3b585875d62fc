# SPDX-License-Identifier: Apache-2.0
"""What a provider answers when no script says otherwise: one function a dialect.

Each takes the request's JSON and the options of the path, and returns an Answer (answers.py). OpenAI, Anthropic and
Ollama are here, the others in dialects_*.py.
"""

import base64
import struct

import dialects_bedrock
import dialects_cohere
import dialects_dashscope
import dialects_google
import dialects_replicate
import dialects_watsonx
import dialects_writer
from answers import ARGUMENT_PARTS, ARGUMENTS, Answer, dump, pieces_of_text, sse


def openai_usage(options):
    count = options.get("events", 5)
    return {
        "prompt_tokens": 1200,
        "completion_tokens": count,
        "total_tokens": 1200 + count,
        "prompt_tokens_details": {"cached_tokens": 1000},
        "completion_tokens_details": {"reasoning_tokens": 0},
    }


def answers_a_tool(message):
    content = message.get("content")
    return (
        message.get("role") == "tool"
        or message.get("type") == "function_call_output"
        or (isinstance(content, list) and any(b.get("type") == "tool_result" for b in content if isinstance(b, dict)))
    )


def known(texts, tool, usage):
    """What a tracer must find."""
    return {"text": "" if tool else "".join(texts), "tools": [(tool, ARGUMENTS)] if tool else [], "usage": usage}


def tool_of(request):
    """The first function offered, unless its result is already in the conversation: one tool call a task."""
    said = request.get("messages") or request.get("input") or []
    if any(answers_a_tool(m) for m in said if isinstance(m, dict)):
        return None
    for tool in request.get("tools") or []:
        return (tool.get("function") or tool).get("name")
    return None


def chat(request, options):
    texts = pieces_of_text(options)
    base = {
        "id": f"chatcmpl-{options['serial']:08d}",
        "object": "chat.completion.chunk",
        "created": 1760000000,
        "model": request.get("model", "m"),
        "system_fingerprint": "fp_fake",
    }
    tool, usage = tool_of(request), openai_usage(options)
    call = {"id": "call_1", "type": "function", "function": {"name": tool, "arguments": '{"city":"Paris"}'}}
    reason = "tool_calls" if tool else "stop"
    if not request.get("stream"):
        message = {"role": "assistant", "content": None if tool else "".join(texts), "refusal": None}
        if tool:
            message["tool_calls"] = [call]
        body = dict(
            base,
            object="chat.completion",
            usage=usage,
            choices=[{"index": 0, "message": message, "logprobs": None, "finish_reason": reason}],
        )
        return Answer("openai.chat", [dump(body).encode()], **known(texts, tool, (1200, len(texts))))

    def chunk(delta, finish=None):
        return sse(dict(base, choices=[{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}]))

    pieces = [chunk({"role": "assistant", "content": None if tool else ""})]
    if tool:
        pieces.append(chunk({"tool_calls": [dict(call, index=0, function={"name": tool, "arguments": ""})]}))
        pieces += [
            chunk({"tool_calls": [{"index": 0, "function": {"arguments": part}}]}) for part in ARGUMENT_PARTS
        ]
    else:
        pieces += [chunk({"content": text}) for text in texts]
    pieces.append(chunk({}, reason))
    counted = (request.get("stream_options") or {}).get("include_usage")
    if counted:
        pieces.append(sse(dict(base, choices=[], usage=usage)))
    pieces.append(sse("[DONE]"))
    said = known(texts, tool, (1200, len(texts)) if counted else None)
    return Answer("openai.chat", pieces, True, "text/event-stream; charset=utf-8", **said)


def completions(request, options):
    if options.get("vendor") == "writer":
        return dialects_writer.completions(request, options)
    texts = pieces_of_text(options)
    base = {
        "id": f"cmpl-{options['serial']:08d}",
        "object": "text_completion",
        "created": 1760000000,
        "model": request.get("model", "m"),
    }

    def body(text, finish):
        return dict(base, choices=[{"text": text, "index": 0, "logprobs": None, "finish_reason": finish}])

    if not request.get("stream"):
        return Answer(
            "openai.completions",
            [dump(dict(body("".join(texts), "stop"), usage=openai_usage(options))).encode()],
            **known(texts, None, (1200, len(texts))),
        )
    pieces = [sse(body(text, None)) for text in texts] + [sse(body("", "stop")), sse("[DONE]")]
    return Answer("openai.completions", pieces, True, "text/event-stream", text="".join(texts))


def responses(request, options):
    texts, count = pieces_of_text(options), options.get("events", 5)
    part = {"type": "output_text", "text": "".join(texts), "annotations": [], "logprobs": []}
    item = {"type": "message", "id": "msg_1", "role": "assistant", "status": "completed", "content": [part]}
    tool = tool_of(request)
    if tool:
        item = {"type": "function_call", "id": "fc_1", "call_id": "call_1", "name": tool, "status": "completed"}
        item["arguments"] = "".join(ARGUMENT_PARTS)
    said = known(texts, tool, (1200, count))
    usage = {
        "input_tokens": 1200,
        "input_tokens_details": {"cached_tokens": 1000},
        "output_tokens": count,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": 1200 + count,
    }

    def response(status, output, used):
        return {
            "id": f"resp_{options['serial']:08d}",
            "object": "response",
            "created_at": 1760000000,
            "status": status,
            "model": request.get("model", "m"),
            "output": output,
            "usage": used,
            "error": None,
            "incomplete_details": None,
            "parallel_tool_calls": True,
            "tool_choice": "auto",
            "tools": [],
        }

    if not request.get("stream"):
        return Answer("openai.responses", [dump(response("completed", [item], usage)).encode()], **said)
    events = [("response.created", {"response": response("in_progress", [], None)})]
    events += response_call_events(item) if tool else response_text_events(item, part, texts)
    events += [
        ("response.output_item.done", {"output_index": 0, "item": item}),
        ("response.completed", {"response": response("completed", [item], usage)}),
    ]
    pieces = [sse({"type": name, "sequence_number": i, **body}, name) for i, (name, body) in enumerate(events)]
    return Answer("openai.responses", pieces, True, "text/event-stream; charset=utf-8", **said)


def response_text_events(item, part, texts):
    at = {"item_id": "msg_1", "output_index": 0, "content_index": 0}
    return [
        ("response.output_item.added", {"output_index": 0, "item": dict(item, content=[], status="in_progress")}),
        ("response.content_part.added", dict(at, part=dict(part, text=""))),
        *(("response.output_text.delta", dict(at, delta=text, logprobs=[])) for text in texts),
        ("response.output_text.done", dict(at, text=part["text"], logprobs=[])),
        ("response.content_part.done", dict(at, part=part)),
    ]


def response_call_events(item):
    at = {"item_id": "fc_1", "output_index": 0}
    return [
        ("response.output_item.added", {"output_index": 0, "item": dict(item, arguments="", status="in_progress")}),
        *(("response.function_call_arguments.delta", dict(at, delta=part)) for part in ARGUMENT_PARTS),
        ("response.function_call_arguments.done", dict(at, name=item["name"], arguments=item["arguments"])),
    ]


def embeddings(request, options):
    given = request.get("input")
    count = len(given) if isinstance(given, list) and not (given and isinstance(given[0], int)) else 1
    vector = [0.25, -0.5, 1.0] + [0.125] * max(0, options.get("size", 3) - 3)
    if request.get("encoding_format") == "base64":
        vector = base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
    body = {
        "object": "list",
        "model": request.get("model", "m"),
        "usage": {"prompt_tokens": 8, "total_tokens": 8},
        "data": [{"object": "embedding", "index": i, "embedding": vector} for i in range(count)],
    }
    return Answer("openai.embeddings", [dump(body).encode()], usage=(8, None))


def messages(request, options):
    texts, count = pieces_of_text(options), options.get("events", 5)
    usage = {"input_tokens": 200, "cache_creation_input_tokens": 0, "cache_read_input_tokens": 1000, "output_tokens": 1}
    head = {
        "id": f"msg_{options['serial']:08d}",
        "type": "message",
        "role": "assistant",
        "model": request.get("model", "m"),
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": usage,
    }
    tool = tool_of(request)
    block = {"type": "text", "text": ""}
    if tool:
        block = {"type": "tool_use", "id": "toolu_1", "name": tool, "input": {}}
    reason, said = "tool_use" if tool else "end_turn", known(texts, tool, (1200, count))
    if not request.get("stream"):
        whole = dict(block, input=ARGUMENTS) if tool else dict(block, text="".join(texts))
        body = dict(head, content=[whole], stop_reason=reason, usage=dict(usage, output_tokens=count))
        return Answer("anthropic.messages", [dump(body).encode()], **said)
    events = [
        {"type": "message_start", "message": head},
        {"type": "content_block_start", "index": 0, "content_block": block},
        {"type": "ping"},
    ]
    deltas = [{"type": "text_delta", "text": text} for text in texts]
    if tool:
        deltas = [{"type": "input_json_delta", "partial_json": part} for part in ARGUMENT_PARTS]
    events += [{"type": "content_block_delta", "index": 0, "delta": delta} for delta in deltas]
    events += [
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": reason, "stop_sequence": None},
            "usage": {"output_tokens": count},
        },
        {"type": "message_stop"},
    ]
    return Answer(
        "anthropic.messages",
        [sse(e, e["type"]) for e in events],
        True,
        "text/event-stream; charset=utf-8",
        **said,
    )


def vertex_messages(request, options):
    """Anthropic's messages at Vertex AI: the path names the model and whether to stream."""
    model = options["path"].rpartition("/")[2].partition(":")[0]
    answer = messages(dict(request, model=model), options)
    answer.model = model
    return answer


def ollama(request, options, key):
    texts = pieces_of_text(options)
    model, created = request.get("model", "m"), "2026-01-01T00:00:00.000000Z"

    tool = tool_of(request) if key == "chat" else None
    said = known(texts, tool, (26, len(texts)))
    if tool:
        texts = [""]

    def line(text, done):
        content = {"message": {"role": "assistant", "content": text}} if key == "chat" else {"response": text}
        if tool and (request.get("stream") is False or not done):
            content["message"]["tool_calls"] = [{"function": {"name": tool, "arguments": ARGUMENTS}}]
        end = (
            {
                "done_reason": "stop",
                "total_duration": 9,
                "load_duration": 1,
                "prompt_eval_count": 26,
                "prompt_eval_duration": 3,
                "eval_count": said["usage"][1],
                "eval_duration": 5,
            }
            if done
            else {}
        )
        return (dump({"model": model, "created_at": created, **content, "done": done, **end}) + "\n").encode()

    name = f"ollama.{key}"
    if request.get("stream") is False:
        return Answer(name, [line("".join(texts), True).rstrip()], **said)
    pieces = [line(text, False) for text in texts] + [line("", True)]
    return Answer(name, pieces, True, "application/x-ndjson", **said)


def other(request, options):
    return Answer("other", [b'{"ok":true}'])


def models(request, options):
    return Answer("models", [dump({"object": "list", "data": [{"id": "m", "object": "model"}]}).encode()])


def download(request, options):
    return Answer(
        "download", [b"\0" * options.get("size", 1000)] * options.get("events", 5), True, "application/octet-stream"
    )


ROUTES = [  # suffix of the path, answer; the first that fits
    *dialects_watsonx.ROUTES,
    ("/chat/completions", chat),
    ("/completions", completions),
    ("/responses", responses),
    ("/embeddings", embeddings),
    ("/messages", messages),
    (":rawPredict", vertex_messages),
    (":streamRawPredict", vertex_messages),
    ("/api/chat", lambda request, options: ollama(request, options, "chat")),
    ("/api/generate", lambda request, options: ollama(request, options, "generate")),
    ("/models", models),
    ("/download", download),
    *dialects_google.ROUTES,
    *dialects_bedrock.ROUTES,
    *dialects_cohere.ROUTES,
    *dialects_dashscope.ROUTES,
    *dialects_replicate.ROUTES,
    *dialects_writer.ROUTES,
]

ERRORS = {  # status, shape of OpenAI's and of Anthropic's error body
    400: ("invalid_request_error", "Invalid value"),
    401: ("authentication_error", "Incorrect API key provided"),
    429: ("rate_limit_error", "Rate limit reached"),
    500: ("server_error", "The server had an error"),
    529: ("overloaded_error", "Overloaded"),
}


def error(path, status):
    kind, message = ERRORS.get(status, ("error", f"status {status}"))
    body = {"error": {"message": message, "type": kind, "param": None, "code": None}}
    if path.endswith("/messages"):
        body = {"type": "error", "error": {"type": kind, "message": message}, "request_id": "req_fake"}
    return Answer("error", [dump(body).encode()], status=status)


def answer(method, path, request, options):
    if options.get("status", 200) != 200:
        return error(path, options["status"])
    for suffix, make in ROUTES:
        if path.endswith(suffix):
            made = make(request if isinstance(request, dict) else {}, options)
            if options.get("mark") == 0:
                made.pieces = [piece for piece in made.pieces if piece != sse("[DONE]")]
            return made
    return other(request, options)
