# SPDX-License-Identifier: Apache-2.0
"""Writer: chat completions at a path of its own, each chunk with a message beside its delta and no [DONE]; completions
that stream words and nothing else."""

import json

import dialects_cohere
from answers import Answer, dump, pieces_of_text, sse


def with_message(piece):
    """A chunk as Writer sends it; None of the mark at the end."""
    data = piece.decode().removeprefix("data: ").strip()
    if data == "[DONE]":
        return None
    chunk = json.loads(data)
    for choice in chunk["choices"]:
        choice["message"] = dict({"content": None, "role": "assistant", "tool_calls": None}, **choice["delta"])
    return sse(chunk)


def chat(request, options):
    """Cohere's first API has the same path, and asks with one message."""
    import dialects

    if isinstance(request.get("message"), str):
        return dialects_cohere.first_chat(request, options)
    answer = dialects.chat(request, options)
    if answer.streamed:
        answer.pieces = [piece for piece in map(with_message, answer.pieces) if piece]
    return answer


def completions(request, options):
    texts = pieces_of_text(options)
    if request.get("stream"):
        pieces = [sse({"value": text}) for text in texts]
        return Answer("openai.completions", pieces, True, "text/event-stream", text="".join(texts))
    body = {"choices": [{"text": "".join(texts), "log_probs": None}], "model": request.get("model")}
    return Answer("openai.completions", [dump(body).encode()], text="".join(texts))


ROUTES = [("/v1/chat", chat)]
