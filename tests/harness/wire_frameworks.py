# SPDX-License-Identifier: Apache-2.0
"""Model calls of frameworks that have messages of their own: the conversation in a span's inputs and outputs, whatever
its dialect, as one list of {role, text, tools, call}, so that a framework's span and ours differ only where they mean
different things."""

from harness.wire import arguments, known

# The spans of autolog that stand for an exchange; chains, agents and tools around them exist in the process alone.
MODEL_SPANS = {
    "langchain": ("ChatOpenAI", "ChatAnthropic"),
    "agents": ("Generation", "Response"),
    "litellm": ("litellm-completion", "litellm-acompletion"),  # where it translates to another dialect
}
SDK_SPANS = ("AsyncCompletions", "AsyncResponses")  # of OpenAI's SDK below the framework's


def text_of(content):
    if isinstance(content, list):
        return "".join(b.get("text") or "" for b in content if b.get("type") in ("text", "input_text", "output_text"))
    return content


def tool(number, name, given):
    return {"id": number, "name": name, "arguments": arguments(given)}


def blocks_of(message, kind):
    content = message.get("content")
    return [b for b in content if b.get("type") == kind] if isinstance(content, list) else []


def entries(message):
    """One item of a request or an answer; an Anthropic message with results of tools is a message for each."""
    if message.get("type") == "function_call":
        return [{"role": "assistant", "tools": [tool(message["call_id"], message["name"], message["arguments"])]}]
    if message.get("type") == "function_call_output":
        return [{"role": "tool", "call": message["call_id"], "text": message["output"]}]
    tools = [tool(t["id"], t["function"]["name"], t["function"]["arguments"]) for t in message.get("tool_calls") or []]
    tools = tools or [tool(b["id"], b["name"], b["input"]) for b in blocks_of(message, "tool_use")]
    results = blocks_of(message, "tool_result")
    out = [{"role": "tool", "call": b["tool_use_id"], "text": text_of(b["content"])} for b in results]
    text = text_of(message.get("content"))
    if text or tools or not results:
        out.append(known(role=message.get("role"), text=text, tools=tools, call=message.get("tool_call_id")))
    return out


def items(value):
    return [{"role": "user", "content": value}] if isinstance(value, str) else value or []


def asked(inputs, instructions=None):
    """The conversation so far. @instructions: where a framework keeps them beside the inputs."""
    if isinstance(inputs, dict):
        instructions = inputs.get("system") or inputs.get("instructions") or instructions
        inputs = inputs.get("messages") or inputs.get("input")
    system = [{"role": "system", "content": instructions}] if instructions else []
    return [e for m in system + items(inputs) for e in entries(m)]


def answered(outputs):
    if isinstance(outputs, dict) and "choices" in outputs:
        outputs = [c["message"] for c in outputs["choices"]]
    elif isinstance(outputs, dict):
        outputs = [outputs]
    outputs = [i for o in items(outputs) for i in (o["output"] if "output" in o and "type" not in o else [o])]
    return [e for m in items(outputs) for e in entries(m)]


def trace_of(span, attributes):
    return {"info": {}, "spans": [dict(span, attributes=attributes, parent_span_id=None)]}


def conversation(span):
    """The span alone, as if it were a trace, with the conversation in place of its inputs and outputs."""
    attributes = dict(span["attributes"])
    attributes["mlflow.spanInputs"] = {
        "messages": asked(attributes["mlflow.spanInputs"], attributes.get("instructions"))
    }
    if attributes.get("mlflow.spanOutputs"):
        attributes["mlflow.spanOutputs"] = {"messages": answered(attributes["mlflow.spanOutputs"])}
    return trace_of(span, attributes)


def spans_of(traces, truth):
    return [s for t in traces for s in t["spans"] if truth(s)]


def is_call(span):
    return span["attributes"].get("mlflow.spanType") in ("CHAT_MODEL", "LLM", "EMBEDDING")


def compared(sdk, theirs, ours):
    """(label for the rules, theirs, ours) as lists of traces: the framework's spans by what they mean, and those of the
    SDK below as they are."""
    ours = spans_of(ours, is_call)
    out = [(".meaning", spans_of(theirs, lambda s: s["name"] in MODEL_SPANS[sdk]), ours, conversation)]
    below = spans_of(theirs, lambda s: s["name"] in SDK_SPANS)
    if below:
        out.append(("", below, ours, lambda s: trace_of(s, s["attributes"])))
    return [(label, [shape(s) for s in a], [shape(s) for s in b]) for label, a, b, shape in out]
