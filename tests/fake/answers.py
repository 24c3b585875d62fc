# SPDX-License-Identifier: Apache-2.0
"""What all dialects share: the Answer, and the numbered text that a lost, doubled or misplaced piece cannot hide in:
"000000 xxxx000001 xxxx…".
"""

import json
import random
from dataclasses import dataclass, field


@dataclass
class Answer:
    """pieces: the body as the server hands it to its carrier, one write each; a body that is not streamed has one.
    text, tools, usage and model are what a tracer must find in it."""

    dialect: str
    pieces: list
    streamed: bool = False
    content_type: str = "application/json"
    status: int = 200
    text: str = ""
    headers: dict = field(default_factory=dict)
    tools: list = field(default_factory=list)  # (name, arguments)
    usage: tuple = None  # input, output tokens as llm semantics count them: input with cache, output with reasoning
    model: str = None  # where the request's body does not name it


ARGUMENTS = {"city": "Paris"}
ARGUMENT_PARTS = ('{"city":', '"Paris"}')


def dump(value):
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def sse(value, event=None, end="\n"):
    data = value if isinstance(value, str) else dump(value)
    return ((f"event: {event}{end}" if event else "") + f"data: {data}{end}{end}").encode()


def pieces_of_text(options):
    size = max(7, options.get("size", 16))
    if options.get("noise"):
        noise = random.Random(options["serial"])
        return [f"{i:06d} " + noise.randbytes(size // 2).hex() for i in range(options.get("events", 5))]
    return [f"{i:06d} ".ljust(size, "x") for i in range(options.get("events", 5))]


def offered(request):
    """The first function, unless its result is already there."""
    if any(m.get("role") == "tool" for m in request.get("messages") or []):
        return None
    for tool in request.get("tools") or []:
        return (tool.get("function") or {}).get("name")
    return None
