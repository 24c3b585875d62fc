# SPDX-License-Identifier: Apache-2.0
"""Replicate's predictions, of a client that waits for them: the words in a list, the model in the path."""

import re

from answers import Answer, dump, pieces_of_text

MODEL = re.compile(r"/models/([^/]+/[^/]+)/predictions$")


def predict(request, options):
    texts, found = pieces_of_text(options), MODEL.search(options["path"])
    model, at = found[1] if found else request.get("version"), f"https://localhost/v1/predictions/{options['serial']}"
    body = {
        "id": f"rep-{options['serial']:08d}",
        "model": model,
        "version": "hidden",
        "input": request.get("input"),
        "logs": "",
        "output": texts,
        "error": None,
        "status": "succeeded",
        "created_at": "2026-01-01T00:00:00.000Z",
        "started_at": "2026-01-01T00:00:00.100Z",
        "completed_at": "2026-01-01T00:00:01.000Z",
        "urls": {"get": at, "cancel": at + "/cancel", "stream": at + "/stream"},
        "metrics": {"input_token_count": 1200, "output_token_count": len(texts), "predict_time": 0.9},
    }
    known = {"text": "".join(texts), "usage": (1200, len(texts)), "model": model}
    return Answer("replicate.predict", [dump(body).encode()], status=201, **known)


ROUTES = [("/predictions", predict)]
