# SPDX-License-Identifier: Apache-2.0
"""What an answer means, read from the wire a second time and independently: text, tool calls, usage, model, finish
reason.

meaning() reads requests and answers as they travelled; of_outputs() reads what a span shows of them. Both give the same
dict, with only the keys that are known, so that tests compare two small dicts.
"""

import importlib
import json


def events_of(text):
    """The JSON data of a server-sent stream, in order; [DONE] and comments left out."""
    out, data = [], []
    for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n") + [""]:
        if line.startswith("data:"):
            data.append(line[5:].removeprefix(" "))
        elif not line and data:
            out.append("\n".join(data))
            data = []
    return [json.loads(d) for d in out if d.strip() != "[DONE]" and d.strip()]


def lines_of(text):
    return [json.loads(line) for line in text.split("\n") if line.strip()]


def arguments(text):
    """Tool arguments compare as JSON where they are."""
    if not isinstance(text, str):
        return text
    try:
        return json.loads(text or "{}")
    except ValueError:
        return text


def known(**values):
    return {k: v for k, v in values.items() if v not in (None, "", [], {})}


def flat(content):
    """Text that may come in typed parts (Mistral)."""
    if isinstance(content, list):
        return "".join(p.get("text") or "" for p in content if isinstance(p, dict) and p.get("type") == "text")
    return content


def thoughts(content):
    """What a model thought, where it comes as typed parts of the content (Mistral, Cohere)."""
    out = ""
    for part in content if isinstance(content, list) else []:
        if isinstance(part, dict) and part.get("type") == "thinking":
            inner = part.get("thinking") or ""
            out += inner if isinstance(inner, str) else "".join(p.get("text") or "" for p in inner)
    return out


def error_message(body):
    """The words of a refusal: {error:{message}}, {error:"…"}, {message}, {detail}, {errors:[{message}]}, or a list of one."""
    if isinstance(body, list):
        body = body[0] if body else None
    if not isinstance(body, dict):
        return None
    for key in ("error", "errors", "message", "Message", "detail"):
        found = body.get(key)
        if isinstance(found, (dict, list)):
            found = error_message(found)
        if found and isinstance(found, str):
            return found
    return None


def stream_of(text):
    return lines_of(text) if text.startswith("{") else events_of(text)


def stream_error(text):
    """The words of an error inside a stream that began well."""
    for event in stream_of(text):
        inner = event.get("response") if isinstance(event, dict) else None
        for found in (event, inner if isinstance(inner, dict) else {}):
            if isinstance(found, dict) and (found.get("error") or found.get("type") == "error"):
                return error_message(found)
    return None


# ---- OpenAI chat ----
def chat_choices(choices):
    choices = sorted(choices, key=lambda c: c.get("index") or 0)
    messages = [c.get("message") or {} for c in choices]
    calls = [
        (t["function"]["name"], arguments(t["function"].get("arguments")))
        for m in messages
        for t in m.get("tool_calls") or []
        if t.get("function")
    ]
    for m in messages:
        if m.get("function_call"):
            calls.append((m["function_call"]["name"], arguments(m["function_call"].get("arguments"))))
    return {
        "text": [flat(m["content"]) for m in messages if m.get("content") and flat(m["content"])],
        "reasoning": "".join(
            m.get("reasoning_content") or m.get("reasoning") or m.get("thoughts") or thoughts(m.get("content"))
            for m in messages
        ),
        "refusal": "".join(m.get("refusal") or "" for m in messages),
        "tools": calls,
        "finish": [c["finish_reason"] for c in choices if c.get("finish_reason")],
    }


def chat_body(body):
    return known(
        model=body.get("model"),
        id=body.get("id"),
        usage=openai_usage(body.get("usage")),
        **chat_choices(body.get("choices") or []),
    )


def chat_delta(message, delta):
    if thoughts(delta.get("content")):
        message["thoughts"] = message.get("thoughts", "") + thoughts(delta["content"])
    for key in ("content", "reasoning_content", "reasoning", "refusal"):
        if delta.get(key):
            message[key] = (message.get(key) or "") + flat(delta[key])
    for call in delta.get("tool_calls") or []:
        calls = message.setdefault("tool_calls", [])
        at = call.get("index", len(calls))
        while len(calls) <= at:
            calls.append({"function": {"name": "", "arguments": ""}})
        function = call.get("function") or {}
        calls[at]["function"]["name"] += function.get("name") or ""
        calls[at]["function"]["arguments"] += function.get("arguments") or ""


def chat_stream(events):
    choices, out = {}, {}
    for event in events:
        for key in ("id", "model"):
            out.setdefault(key, event.get(key))
        usage = event.get("usage") or (event.get("x_groq") or {}).get("usage")
        if usage:
            out["usage"] = usage
        for choice in event.get("choices") or []:
            mine = choices.setdefault(choice.get("index") or 0, {"index": choice.get("index") or 0, "message": {}})
            chat_delta(mine["message"], choice.get("delta") or {})
            if choice.get("finish_reason"):
                mine["finish_reason"] = choice["finish_reason"]
    return chat_body(dict(out, choices=list(choices.values())))


def openai_usage(usage):
    if not usage:
        return None
    inputs = usage.get("prompt_tokens", usage.get("input_tokens"))
    outputs = usage.get("completion_tokens", usage.get("output_tokens"))
    details = usage.get("prompt_tokens_details") or usage.get("input_tokens_details") or {}
    # xAI counts what was thought beside what was said: the total gives it away.
    thought = (usage.get("completion_tokens_details") or {}).get("reasoning_tokens")
    if thought and usage.get("total_tokens") == (inputs or 0) + (outputs or 0) + thought:
        outputs += thought
    return known(input=inputs, output=outputs, total=usage.get("total_tokens"), cached=details.get("cached_tokens"))


# ---- OpenAI completions, responses ----
def completion_body(body):
    choices = body.get("choices") or []
    return known(
        model=body.get("model"),
        id=body.get("id"),
        usage=openai_usage(body.get("usage")),
        text=[c["text"] for c in choices if c.get("text")],
        finish=[c["finish_reason"] for c in choices if c.get("finish_reason")],
    )


def completion_stream(events):
    text, out = {}, {}
    for event in events:
        for key in ("id", "model"):
            out.setdefault(key, event.get(key))
        out["usage"] = event.get("usage") or out.get("usage")
        for choice in event.get("choices") or []:
            mine = text.setdefault(choice.get("index") or 0, {"text": ""})
            mine["text"] += choice.get("text") or ""
            mine["finish_reason"] = choice.get("finish_reason") or mine.get("finish_reason")
    return completion_body(dict(out, choices=list(text.values())))


CALLS = {  # items that ask the application for something, and the member that says what
    "function_call": "arguments",
    "custom_tool_call": "input",
    "local_shell_call": "action",
    "shell_call": "action",
    "apply_patch_call": "operation",
    "computer_call": "action",
}


def responses_body(body):
    output = body.get("output") or []
    messages = [item.get("content") or [] for item in output if item.get("type") == "message"]
    parts = [p for message in messages for p in message]
    texts = ["".join(p.get("text") or "" for p in message if p.get("type") == "output_text") for message in messages]
    reasons = (body.get("incomplete_details") or {}).get("reason") or body.get("status")
    return known(
        model=body.get("model"),
        id=body.get("id"),
        usage=openai_usage(body.get("usage")),
        text=[t for t in texts if t],  # each item is a message
        refusal="".join(p.get("refusal") or "" for p in parts if p.get("type") == "refusal"),
        reasoning="".join(
            p.get("text") or ""
            for item in output
            if item.get("type") == "reasoning"
            for p in (item.get("summary") or []) + (item.get("content") or [])
        ),
        tools=[
            (i.get("name") or i["type"], arguments(i.get(CALLS.get(i["type"], "arguments"))))
            for i in output
            if i.get("type") in CALLS or (i.get("type"), i.get("execution")) == ("tool_search_call", "client")
        ],
        finish=[reasons] if reasons else None,
    )


def responses_stream(events):
    last, items = None, {}
    for event in events:
        if event.get("type") in ("response.completed", "response.incomplete", "response.failed"):
            last = event["response"]
        elif event.get("type") == "response.output_item.done":
            items[event.get("output_index", len(items))] = event["item"]
        elif event.get("type") == "response.created":
            first = event["response"]
    if last is None:
        return known(
            model=first.get("model"),
            id=first.get("id"),
            **{
                k: v
                for k, v in responses_body({"output": [items[i] for i in sorted(items)]}).items()
                if k in ("text", "tools", "reasoning")
            },
        )
    return responses_body(last)


# ---- Anthropic ----
def messages_body(body):
    content = body.get("content") or []
    usage = body.get("usage")
    return known(
        model=body.get("model"),
        id=body.get("id"),
        usage=anthropic_usage(usage),
        text=[b["text"] for b in content if b.get("type") == "text" and b.get("text")],
        reasoning="".join(b.get("thinking") or "" for b in content if b.get("type") == "thinking"),
        tools=[(b.get("name"), b.get("input")) for b in content if b.get("type") in ("tool_use", "server_tool_use")],
        finish=[body["stop_reason"]] if body.get("stop_reason") else None,
    )


def messages_delta(block, delta):
    kind = delta.get("type")
    if kind == "text_delta":
        block["text"] = block.get("text", "") + delta["text"]
    elif kind == "thinking_delta":
        block["thinking"] = block.get("thinking", "") + delta["thinking"]
    elif kind == "input_json_delta":
        block["json"] = block.get("json", "") + delta["partial_json"]


def messages_stream(events):
    body, blocks = {}, {}
    for event in events:
        kind = event.get("type")
        if kind == "message_start":
            body = dict(event["message"])
        elif kind == "content_block_start":
            blocks[event["index"]] = dict(event["content_block"])
        elif kind == "content_block_delta":
            messages_delta(blocks[event["index"]], event["delta"])
        elif kind == "message_delta":
            body["stop_reason"] = (event.get("delta") or {}).get("stop_reason")
            body["usage"] = {
                **(body.get("usage") or {}),
                **{k: v for k, v in (event.get("usage") or {}).items() if v is not None},
            }
    for block in blocks.values():
        if "json" in block:
            block["input"] = arguments(block.pop("json"))
    return messages_body(dict(body, content=[blocks[i] for i in sorted(blocks)]))


def anthropic_usage(usage):
    if not usage:
        return None
    read, made = usage.get("cache_read_input_tokens"), usage.get("cache_creation_input_tokens")
    inputs = (usage.get("input_tokens") or 0) + (read or 0) + (made or 0)
    outputs = usage.get("output_tokens") or 0
    # What an adviser or a compaction took stands beside the top level, in the list of iterations.
    every = [(anthropic_usage(i) or {}) for i in usage.get("iterations") or []]
    inputs = max(inputs, sum(i.get("input", 0) for i in every))
    outputs = max(outputs, sum(i.get("output", 0) for i in every))
    return known(input=inputs, output=outputs, total=inputs + outputs, cached=read, cache_written=made)


# ---- Ollama ----
def ollama_lines(lines):
    text, thinking, tools, last = "", "", [], lines[-1] if lines else {}
    for line in lines:
        message = line.get("message") or {}
        text += message.get("content") or line.get("response") or ""
        thinking += message.get("thinking") or line.get("thinking") or ""
        tools += [
            (t["function"]["name"], arguments(t["function"].get("arguments"))) for t in message.get("tool_calls") or []
        ]
    inputs, outputs = last.get("prompt_eval_count"), last.get("eval_count")
    usage = known(input=inputs, output=outputs, total=(inputs or 0) + (outputs or 0)) if outputs is not None else None
    return known(
        model=last.get("model"),
        text=[text] if text else None,
        reasoning=thinking,
        tools=tools,
        usage=usage,
        finish=[last["done_reason"]] if last.get("done_reason") else None,
    )


def ollama_body(body):
    return ollama_lines([body])


def embeddings_body(body):
    usage = openai_usage(body.get("usage"))
    # Vectors are no tokens; all that there is was asked.
    return known(model=body.get("model"), usage=usage and {"input": usage.get("total"), "output": 0, **usage})


def complete_body(body):
    """Anthropic's first API."""
    return known(
        model=body.get("model"),
        text=[body["completion"]] if body.get("completion") else None,
        finish=[body["stop_reason"]] if body.get("stop_reason") else None,
    )


def complete_stream(events):
    text = "".join(e.get("completion") or "" for e in events)
    return complete_body(dict(events[-1], completion=text))


def images_body(body):
    return known(model=body.get("model"), usage=openai_usage(body.get("usage")))


def counted(body):
    """Counting is no consumption: there is nothing to compare."""
    return {}


SUFFIXES = [  # of the path; dialect; one body; its stream
    ("/chat/completions", "openai.chat", chat_body, chat_stream),
    ("/completions", "openai.completions", completion_body, completion_stream),
    ("/responses", "openai.responses", responses_body, responses_stream),
    ("/responses/compact", "openai.responses", responses_body, None),
    ("/responses/input_tokens", "openai.responses", counted, None),
    ("/embeddings", "openai.embeddings", embeddings_body, None),
    ("/images/generations", "openai.images", images_body, None),
    ("/messages/count_tokens", "anthropic.messages", counted, None),
    ("/complete", "anthropic.complete", complete_body, complete_stream),
    ("/messages", "anthropic.messages", messages_body, messages_stream),
    ("/api/chat", "ollama.chat", ollama_body, ollama_lines),
    ("/api/generate", "ollama.generate", ollama_body, ollama_lines),
]


# Modules beside this one with ROWS like SUFFIXES, where a regular expression may stand for the suffix, and perhaps an
# of_outputs().
FAMILIES = ("wire_bedrock", "wire_google", "wire_others")


def families():
    return [importlib.import_module(f"harness.{name}") for name in FAMILIES]


def dialect_of(path):
    path = path.split("?")[0].rstrip("/")
    for family in families():
        for row in family.ROWS:
            if row[0].search(path) if hasattr(row[0], "search") else path.endswith(row[0]):
                return row
    return next((row for row in SUFFIXES if path.endswith(row[0])), None)


def meaning(path, status, body):
    """@body: parsed JSON, the text of a stream or of NDJSON, or the bytes of a binary stream."""
    row = dialect_of(path)
    if status != 200:
        return known(error=error_message(body))
    if isinstance(body, bytes):
        return row[3](body)
    if isinstance(body, str):
        return row[3](stream_of(body))
    if isinstance(body, list) and row[3]:
        return row[3](body)  # a stream as one array
    return row[2](body)


def of_span(attributes):
    """The same dict, from what a span of ours says."""
    outputs = attributes.get("mlflow.spanOutputs")
    seen = of_outputs(outputs)
    usage = attributes.get("mlflow.chat.tokenUsage") or {}
    return {
        **seen,
        **known(
            model=attributes.get("gen_ai.response.model"),
            id=attributes.get("gen_ai.response.id"),
            finish=attributes.get("gen_ai.response.finish_reasons"),
            usage=known(
                input=usage.get("input_tokens"),
                output=usage.get("output_tokens"),
                total=usage.get("total_tokens"),
                cached=usage.get("cache_read_input_tokens"),
                cache_written=usage.get("cache_creation_input_tokens"),
            ),
        ),
    }


TOOL_PARTS = ("tool_call", "server_tool_call", "server_tool_use")  # the last as the provider wrote it


def of_parts(attributes):
    """The same dict, from the gen_ai.* attributes that the otlp sinks carry. Texts of one message are one text."""
    messages = json.loads(attributes.get("gen_ai.output.messages") or "[]")
    parts = [p for m in messages for p in m.get("parts") or []]
    texts = ["".join(p.get("content") or "" for p in m.get("parts") or [] if p.get("type") == "text") for m in messages]
    return known(
        text=[t for t in texts if t],
        reasoning="".join(p.get("content") or "" for p in parts if p.get("type") == "reasoning"),
        model=attributes.get("gen_ai.response.model"),
        id=attributes.get("gen_ai.response.id"),
        tools=[
            (p.get("name"), arguments(p.get("arguments", p.get("input")))) for p in parts if p.get("type") in TOOL_PARTS
        ],
        finish=attributes.get("gen_ai.response.finish_reasons"),
        documents=json.loads(attributes.get("gen_ai.retrieval.documents") or "[]"),
        usage=known(
            input=attributes.get("gen_ai.usage.input_tokens"), output=attributes.get("gen_ai.usage.output_tokens")
        ),
    )


def error_of(span):
    """What a span says that failed, with what its SDK writes around the words."""
    for event in span.get("events") or []:
        if event.get("name") == "exception":
            return event["attributes"].get("exception.message")
    return None


def of_outputs(outputs):
    if outputs is None:
        return {}
    if isinstance(outputs, str):
        return known(text=[outputs])
    for family in families() if isinstance(outputs, (dict, list)) else ():
        found = family.of_outputs(outputs) if hasattr(family, "of_outputs") else None
        if found is not None:
            return found
    if not isinstance(outputs, dict):
        return {}
    if outputs.get("choices"):
        return chat_body(outputs) if "message" in outputs["choices"][0] else completion_body(outputs)
    if "output" in outputs:
        return responses_body(outputs)
    if outputs.get("type") == "message":
        return messages_body(outputs)
    if "message" in outputs or "response" in outputs:
        return ollama_body(outputs)
    return embeddings_body(outputs)
