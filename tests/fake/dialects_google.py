# SPDX-License-Identifier: Apache-2.0
"""Gemini's generateContent: one object, a stream of events, or a stream that is one JSON array. The path holds the model."""

import re
import urllib.parse

from answers import ARGUMENTS, Answer, dump, pieces_of_text, sse

MODEL = re.compile(r"/models/([^/:]+):")


def offered(request):
    """The first function, unless its result is already there."""
    parts = [p for c in request.get("contents") or [] for p in c.get("parts") or []]
    if any("functionResponse" in p for p in parts):
        return None
    for tool in request.get("tools") or []:
        for function in tool.get("functionDeclarations") or tool.get("function_declarations") or []:
            return function.get("name")
    return None


def generate(request, options, streamed):
    texts, model, tool = pieces_of_text(options), MODEL.search(options["path"])[1], offered(request)
    usage = {
        "promptTokenCount": 1200,
        "cachedContentTokenCount": 1000,
        "candidatesTokenCount": len(texts),
        "thoughtsTokenCount": 3,
        "totalTokenCount": 1203 + len(texts),
    }

    def body(part, last):
        candidate = {"content": {"parts": [part], "role": "model"}, "index": 0}
        return {
            "candidates": [dict(candidate, finishReason="STOP") if last else candidate],
            "usageMetadata": usage,
            "modelVersion": model,
            "responseId": f"gem-{options['serial']:08d}",
        }

    known = {
        "text": "" if tool else "".join(texts),
        "tools": [(tool, ARGUMENTS)] if tool else [],
        "usage": (1200, len(texts) + 3),
        "model": model,
    }
    parts = [{"functionCall": {"name": tool, "args": ARGUMENTS}}] if tool else [{"text": t} for t in texts]
    if not streamed:
        whole = parts[0] if tool else {"text": "".join(texts)}
        return Answer("gemini", [dump(body(whole, True)).encode()], content_type="application/json; charset=UTF-8", **known)
    bodies = [body(part, i == len(parts) - 1) for i, part in enumerate(parts)]
    if urllib.parse.parse_qs(options.get("query", "")).get("alt") == ["sse"]:
        return Answer("gemini", [sse(b, end="\r\n") for b in bodies], True, "text/event-stream", **known)
    pieces = [(("[" if i == 0 else ",\r\n") + dump(b)).encode() for i, b in enumerate(bodies)] + [b"]"]
    return Answer("gemini", pieces, True, "application/json; charset=UTF-8", **known)


def embed(request, options):
    model = MODEL.search(options["path"])[1]
    vector = {"values": [0.25, -0.5, 1.0]}
    body = {"embeddings": [vector] * len(request["requests"])} if "requests" in request else {"embedding": vector}
    return Answer("gemini.embed", [dump(body).encode()], model=model)


ROUTES = [
    (":streamGenerateContent", lambda request, options: generate(request, options, True)),
    (":generateContent", lambda request, options: generate(request, options, False)),
    (":embedContent", embed),
    (":batchEmbedContents", embed),
]
