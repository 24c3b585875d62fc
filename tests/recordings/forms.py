# SPDX-License-Identifier: Apache-2.0
"""The forms in which one answer can travel: the version of HTTP, the content coding, the cuts. All of them mean the same."""

import base64
import itertools
import os
import random
import sys
from typing import NamedTuple

sys.path.insert(0, os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "fake"))
import provider  # noqa: E402

HTTPS = ("1.1", "2")
CODINGS = ("identity", "gzip", "br", "zstd")
CUTS = ("whole", "bytes", "random")
BYTEWISE = 3000  # longer bodies come in small pieces instead


class Form(NamedTuple):
    http: str
    coding: str
    cuts: str

    def __str__(self):
        return f"http{self.http}_{self.coding}_{self.cuts}"


FORMS = [Form(*form) for form in itertools.product(HTTPS, CODINGS, CUTS)]


def random_pieces(data, longest, seed):
    at, pick = 0, random.Random(seed)
    while at < len(data):
        size = pick.randint(1, longest)
        yield data[at : at + size]
        at += size


def chunks_of(data, form):
    """The coded body as the chunks of a script. Random cuts are a server's that gives out what it has after each piece;
    bytewise cuts go through the coded body, where no piece ends with anything whole."""
    coder = provider.Coder(None if form.coding == "identity" else form.coding)
    if form.cuts == "random":
        pieces = [coder.piece(p) for p in random_pieces(data, 700, len(data))] + [coder.end()]
    else:
        coded = coder.piece(data) + coder.end()
        if form.cuts == "whole":
            pieces = [coded]
        elif len(coded) < BYTEWISE:
            return [{"base64": base64.b64encode(coded).decode(), "each": 1}]
        else:
            pieces = random_pieces(coded, 97, len(coded))
    return [{"base64": base64.b64encode(p).decode()} for p in pieces if p]


def answer_of(form, status, content_type, data, streamed, request_id):
    """The response of a script."""
    headers = {"content-type": content_type, "x-request-id": request_id}
    if form.coding != "identity" and data:
        headers["content-encoding"] = form.coding
    entry = {"status": status, "headers": headers}
    chunks = chunks_of(data, form) if data else []
    if streamed or form.cuts != "whole":
        entry["chunks"] = chunks
    else:
        entry["body"] = {"base64": chunks[0]["base64"] if chunks else ""}
    return entry
