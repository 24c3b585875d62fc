# SPDX-License-Identifier: Apache-2.0
"""Google's answers, read a second time: generateContent, its stream, counting and embedding, interactions, and Anthropic's
models on its platform. Rows as wire.SUFFIXES."""


import re

from harness.wire import arguments, known, messages_body, messages_stream

# Below a span for each of its methods the SDK has one for each exchange.
CALL = re.compile(r"(Async)?Models\.(_?generate_content(_stream)?|embed_content|count_tokens)$")


def calls_of(traces):
    """The span of each exchange alone, as if it were a trace, under the name that its caller knows."""
    out = []
    for trace in traces:
        parents = {s["parent_span_id"] for s in trace["spans"]}
        for span in trace["spans"]:
            if CALL.match(span["name"]) and span["span_id"] not in parents:
                name = span["name"].replace("._", ".")
                out.append({"info": {}, "spans": [dict(span, name=name, parent_span_id=None)]})
    return out


def usage_of(usage):
    """Thoughts are output, what tools put into the prompt is input."""
    if not usage:
        return None
    counts = [usage.get("promptTokenCount"), usage.get("toolUsePromptTokenCount")]
    inputs = sum(c or 0 for c in counts)
    outputs = (usage.get("candidatesTokenCount") or 0) + (usage.get("thoughtsTokenCount") or 0)
    # Without a prompt or an answer there is no count of it, and none is made up.
    if not outputs and usage.get("totalTokenCount") != inputs:
        return known(input=inputs)
    told = {"output": outputs} if counts == [None, None] else {"input": inputs, "output": outputs}
    return told | known(
        total=usage.get("totalTokenCount"), cached=usage.get("cachedContentTokenCount")
    )


REASONS = {1: "STOP", 2: "MAX_TOKENS", 3: "SAFETY", 4: "RECITATION", 5: "OTHER"}  # enum-encoding=int


def parts_of(candidate):
    return (candidate.get("content") or {}).get("parts") or []


def generate_body(body):
    body = body.get("response") or body
    candidates = body.get("candidates") or []
    parts = [p for c in candidates for p in parts_of(c)]
    said = [[p["text"] for p in parts_of(c) if p.get("text") and not p.get("thought")] for c in candidates]
    reasons = [c.get("finishReason") for c in candidates]
    block = (body.get("promptFeedback") or {}).get("blockReason")
    return known(
        model=body.get("modelVersion"),
        id=body.get("responseId"),
        usage=usage_of(body.get("usageMetadata")),
        text=["".join(t) for t in said if t],
        reasoning="".join(p["text"] for p in parts if p.get("text") and p.get("thought")),
        tools=[(c["name"], c.get("args")) for p in parts if (c := p.get("functionCall"))]
        + [(c["toolType"], c.get("args")) for p in parts if (c := p.get("toolCall"))],
        finish=[REASONS.get(r, r) for r in reasons if r] or ([block] if block and not candidates else None),
    )


def generate_stream(chunks):
    """One answer of all chunks: parts in order, the last word for the rest."""
    whole, candidates = {}, {}
    for chunk in chunks:
        chunk = chunk.get("response") or chunk
        whole.update({k: v for k, v in chunk.items() if k != "candidates" and v is not None})
        for candidate in chunk.get("candidates") or []:
            mine = candidates.setdefault(candidate.get("index") or 0, {"content": {"parts": []}})
            mine["content"]["parts"] += parts_of(candidate)
            mine.update({k: v for k, v in candidate.items() if k != "content"})
    return generate_body(dict(whole, candidates=list(candidates.values())))


# ---- interactions ----


def texts_of(step, name):
    content = step.get(name) or []
    return [c.get("text") or "" for c in content] if isinstance(content, list) else [content]


def interaction_body(body):
    steps, usage = body.get("steps") or [], body.get("usage") or {}
    told = {k: usage.get(f"total_{k}_tokens") for k in ("input", "output", "thought", "tool_use")}
    said = "".join(t for s in steps if s.get("type") == "model_output" for t in texts_of(s, "content"))
    return known(
        model=body.get("model"),
        id=body.get("id"),
        usage=usage
        and {
            "input": (told["input"] or 0) + (told["tool_use"] or 0),
            "output": (told["output"] or 0) + (told["thought"] or 0),
        },
        text=[said] if said else None,
        reasoning="".join(t for s in steps if s.get("type") == "thought" for t in texts_of(s, "summary")),
        tools=[(s["name"], arguments(s.get("arguments"))) for s in steps if s.get("type") == "function_call"],
        finish=[body["status"]] if body.get("status") else None,
    )


def interaction_stream(events):
    whole, steps = {}, {}
    for event in events:
        kind, delta = event.get("event_type"), event.get("delta") or {}
        if event.get("interaction"):
            whole.update({k: v for k, v in event["interaction"].items() if k != "steps"})
        if kind == "step.start":
            steps[event["index"]] = {"content": [], "summary": [], **event["step"]}
        elif kind == "step.delta":
            step = steps[event["index"]]
            if delta.get("type") == "text":
                step["content"] = step["content"] + [delta]
            elif delta.get("type") == "thought_summary":
                step["summary"] = step["summary"] + [delta["content"]]
            elif delta.get("type") == "arguments_delta":
                before = step["arguments"] if isinstance(step.get("arguments"), str) else ""
                step["arguments"] = before + delta["arguments"]
    return interaction_body(dict(whole, steps=[steps[i] for i in sorted(steps)]))


def nothing(body):
    return {}


ROWS = [
    (":generateContent", "gemini.generate", generate_body, generate_stream),
    (":streamGenerateContent", "gemini.generate", generate_body, generate_stream),
    (":countTokens", "gemini.count_tokens", nothing, None),
    (":embedContent", "gemini.embed", nothing, None),
    (":batchEmbedContents", "gemini.embed", nothing, None),
    (re.compile(r"/v1(beta\d*)?/interactions$"), "gemini.interactions", interaction_body, interaction_stream),
    (
        re.compile(r"/publishers/anthropic/models/[^/]+:(rawPredict|streamRawPredict)$"),
        "anthropic.messages",
        messages_body,
        messages_stream,
    ),
]


def of_outputs(outputs):
    """What outputs of these dialects say, or None when they are of another."""
    if "candidates" in outputs or "promptFeedback" in outputs or "usageMetadata" in outputs:
        return generate_body(outputs)
    if isinstance(outputs.get("response"), dict) and "candidates" in outputs["response"]:
        return generate_body(outputs)
    return {} if "totalTokens" in outputs or "embeddings" in outputs or "embedding" in outputs else None
