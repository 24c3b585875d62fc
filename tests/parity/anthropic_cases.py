# SPDX-License-Identifier: Apache-2.0
"""The Anthropic half of the table in cases.py."""

import asyncio
import threading

import answers as a
from cases import CLOSED, NOT_TRACED, PIXEL, REPR, ATTEMPTS, case

QUESTION = [{"role": "user", "content": "What is the capital of France? é 漢字"}]
TOOLS = [
    {
        "name": "get_weather",
        "description": "Current weather in a city",
        "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    }
]
THINKING = (
    {"type": "thinking", "thinking": "", "signature": ""},
    [
        {"type": "thinking_delta", "thinking": "The user "},
        {"type": "thinking_delta", "thinking": "asks."},
        {"type": "signature_delta", "signature": "c2ln"},
    ],
)
TEXT = ({"type": "text", "text": ""}, a.text_deltas("Par", "is — ", "ville lumière."))
TOOL = (
    {"type": "tool_use", "id": "toolu_par1", "name": "get_weather", "input": {}},
    [{"type": "input_json_delta", "partial_json": p} for p in ("", '{"city":', ' "Par', 'is"}')],
)


def messages(client, **more):
    return client.messages.create(**{"model": "claude-sonnet-4-5", "max_tokens": 100, "messages": QUESTION, **more})


def anthropic(name, *script, **more):
    return case(f"anthropic_{name}", *script, sdk="anthropic", **more)


@anthropic("messages", a.message(a.text("Paris — ville lumière.")))
def _(client):
    messages(client)


@anthropic("parameters", a.message(a.text("Paris.")))
def _(client):
    messages(client, stop_sequences=["END"], metadata={"user_id": "u-1"})


@anthropic("system", a.message(a.text("Paris.")))
def _(client):
    messages(client, system="You are terse.")


@anthropic(
    "system_blocks_cache",
    a.message(
        a.text("Paris."),
        usage=a.anthropic_usage(
            cache_creation_input_tokens=300,
            cache_read_input_tokens=1000,
            cache_creation={"ephemeral_5m_input_tokens": 200, "ephemeral_1h_input_tokens": 100},
        ),
    ),
)
def _(client):
    messages(
        client,
        system=[
            {"type": "text", "text": "You are terse.", "cache_control": {"type": "ephemeral"}},
            {"type": "text", "text": "Answer in French."},
        ],
    )


@anthropic(
    "thinking", a.message({"type": "thinking", "thinking": "The user asks.", "signature": "c2ln"}, a.text("Paris."))
)
def _(client):
    messages(client, max_tokens=2000, thinking={"type": "enabled", "budget_tokens": 1024})


@anthropic("tools", a.message(a.text("I look."), a.tool_use("get_weather", {"city": "Paris"}), stop="tool_use"))
def _(client):
    messages(client, tools=TOOLS, tool_choice={"type": "auto"})


@anthropic("tool_result", a.message(a.text("Sunny.")))
def _(client):
    messages(
        client,
        tools=TOOLS,
        messages=QUESTION
        + [
            {
                "role": "assistant",
                "content": [{"type": "text", "text": "I look."}, a.tool_use("get_weather", {"city": "Paris"})],
            },
            {
                "role": "user",
                "content": [
                    {"type": "tool_result", "tool_use_id": "toolu_par1", "content": [{"type": "text", "text": "clear"}]}
                ],
            },
        ],
    )


@anthropic("image", a.message(a.text("A pixel.")))
def _(client):
    messages(
        client,
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}},
                    {"type": "text", "text": "What is this?"},
                ],
            }
        ],
    )


@anthropic("stream_create", a.message_stream([TEXT]), gap=REPR)
def _(client):
    for _ in messages(client, stream=True):
        pass


@anthropic("stream_helper", a.message_stream([THINKING, TEXT]), gap=NOT_TRACED)
def _(client):
    with client.messages.stream(model="claude-sonnet-4-5", max_tokens=100, messages=QUESTION) as stream:
        stream.get_final_message()


@anthropic("tools_stream", a.message_stream([TEXT, TOOL], stop="tool_use"), gap=REPR)
def _(client):
    for _ in messages(client, stream=True, tools=TOOLS):
        pass


@anthropic("beta_messages", a.message(a.text("Paris.")), gap=NOT_TRACED)
def _(client):
    client.beta.messages.create(model="claude-sonnet-4-5", max_tokens=100, messages=QUESTION)


for _status, _kind, _words in (
    (400, "invalid_request_error", "max_tokens: required"),
    (401, "authentication_error", "invalid x-api-key"),
    (429, "rate_limit_error", "Number of requests exceeded."),
    (500, "api_error", "Internal server error"),
    (529, "overloaded_error", "Overloaded"),
):
    anthropic(f"error_{_status}", a.anthropic_error(_status, _kind, _words))(lambda client: messages(client))

anthropic(
    "error_529_then_ok",
    a.anthropic_error(529, "overloaded_error", "Overloaded"),
    a.message(a.text("Paris.")),
    retries=2,
    gap=ATTEMPTS,
)(lambda client: messages(client))
anthropic("timeout", {"status": None, "note": "no answer for 4s"}, timeout=0.6, end="timeout")(
    lambda client: messages(client)
)


@anthropic(
    "client_cancel_stream",
    a.stream(a.message_stream([TEXT])["chunks"][:4] + ["<pause 5s>"]),
    gap=CLOSED,
    end="client_cancel",
)
def _(client):
    stream = messages(client, stream=True)
    for event in stream:
        if event.type == "content_block_delta":
            break
    stream.close()


@anthropic("async_messages", a.message(a.text("Paris.")))
async def _(client):
    await messages(client, system="Be terse.")


@anthropic("async_stream_create", a.message_stream([TEXT]), gap=REPR)
async def _(client):
    async for _ in await messages(client, stream=True):
        pass


@anthropic("async_concurrent3", a.message(a.text("Same for all.")), traces=3)
async def _(client):
    await asyncio.gather(*(messages(client, messages=[{"role": "user", "content": f"question {i}"}]) for i in range(3)))


@anthropic("threads2", a.message(a.text("Same for both.")), traces=2)
def _(client):
    threads = [
        threading.Thread(target=lambda i=i: messages(client, messages=[{"role": "user", "content": f"thread {i}"}]))
        for i in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
