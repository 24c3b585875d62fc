#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A small agent, as anybody would write it: one question, one tool, one streamed answer. Nothing in it knows of a
tracer. Its provider is made up and runs beside it, behind real TLS."""

import json
import os
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
FAKE = os.path.join(TOP, "tests", "fake")
HOME = os.path.join(TOP, os.environ.get("BUILD", "build"), "run", "agent")
MODEL = "gpt-4o-mini"
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Current weather in a city",
            "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
        },
    }
]


def chunk(delta, finish=None, usage=None):
    base = {
        "id": "chatcmpl-demo2",
        "object": "chat.completion.chunk",
        "created": 1761000000,
        "model": "gpt-4o-mini-2024-07-18",
    }
    choices = [] if usage else [{"index": 0, "delta": delta, "finish_reason": finish}]
    return f"data: {json.dumps({**base, 'choices': choices, **({'usage': usage} if usage else {})})}\n\n"


def script():
    """What the provider says: a tool call, then the answer, word by word."""
    call = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city":"Paris"}'}}
    first = {
        "id": "chatcmpl-demo1",
        "object": "chat.completion",
        "created": 1761000000,
        "model": "gpt-4o-mini-2024-07-18",
        "choices": [
            {
                "index": 0,
                "finish_reason": "tool_calls",
                "message": {"role": "assistant", "content": None, "tool_calls": [call]},
            }
        ],
        "usage": {
            "prompt_tokens": 61,
            "completion_tokens": 15,
            "total_tokens": 76,
            "prompt_tokens_details": {"cached_tokens": 0},
        },
    }
    words = ["It", " is", " 18", " degrees", " and", " sunny", " in", " Paris", "."]
    chunks = [chunk({"role": "assistant", "content": ""})]
    for word in words:
        chunks += [chunk({"content": word}), "<pause 0.03s>"]
    chunks += [
        chunk({}, "stop"),
        chunk(
            {},
            usage={
                "prompt_tokens": 92,
                "completion_tokens": 9,
                "total_tokens": 101,
                "prompt_tokens_details": {"cached_tokens": 64},
            },
        ),
        "data: [DONE]\n\n",
    ]
    return {
        "weather": [
            {"status": 200, "headers": {"x-request-id": "req-demo-1"}, "body": first},
            {
                "status": 200,
                "headers": {"content-type": "text/event-stream", "x-request-id": "req-demo-2"},
                "chunks": chunks,
            },
        ]
    }


def start_provider():
    """Returns (process, base URL)."""
    sys.path.insert(0, FAKE)
    import certs

    ca, cert, key = certs.make(os.path.join(HOME, "certs"))
    path = os.path.join(HOME, "script.json")
    with open(path, "w") as f:
        json.dump(script(), f)
    provider = subprocess.Popen(
        [
            sys.executable,
            os.path.join(FAKE, "provider.py"),
            "--tls",
            "0",
            "--cert",
            cert,
            "--key",
            key,
            "--script",
            path,
        ],
        stdout=subprocess.PIPE,
    )
    os.environ["SSL_CERT_FILE"] = ca
    return provider, f"https://localhost:{json.loads(provider.stdout.readline())['tls']}/x/case=weather/v1"


def answer(url, question):
    import openai

    client = openai.OpenAI(base_url=url, api_key="sk-demo")
    messages = [{"role": "system", "content": "Answer in one sentence."}, {"role": "user", "content": question}]
    first = client.chat.completions.create(model=MODEL, messages=messages, tools=TOOLS).choices[0].message
    messages.append(first.model_dump(exclude_none=True))
    for call in first.tool_calls:
        messages.append({"role": "tool", "tool_call_id": call.id, "content": '{"degrees": 18, "sky": "clear"}'})
    for part in client.chat.completions.create(
        model=MODEL, messages=messages, tools=TOOLS, stream=True, stream_options={"include_usage": True}
    ):
        if part.choices and part.choices[0].delta.content:
            yield part.choices[0].delta.content


def main():
    os.makedirs(HOME, exist_ok=True)
    provider, url = start_provider()
    try:
        question = "What is the weather in Paris?"
        print(f"    agent> {question}\n    agent< ", end="")
        for text in answer(url, question):
            print(text, end="", flush=True)
        print()
    finally:
        provider.terminate()
        provider.wait()


if __name__ == "__main__":
    main()
