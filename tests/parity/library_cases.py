# SPDX-License-Identifier: Apache-2.0
"""The part of the table in cases.py for Mistral, Groq and LiteLLM. A call is given the provider's base URL."""

import asyncio
import functools

import answers as a
from cases import NOT_TRACED, PARIS, REPR, WEATHER, case

ANSWERED = PARIS + [
    {"role": "assistant", "content": "", "tool_calls": [a.call("get_weather", '{"city": "Paris"}')]},
    {"role": "tool", "tool_call_id": "call_1", "name": "get_weather", "content": '{"sky":"clear"}'},
]
PARIS_CALL = {"tool_calls": [a.call("get_weather", '{"city": "Paris"}'), a.call("get_weather", '{"city": "Rome"}', 2)]}


def of(sdk):
    return lambda name, *script, **more: case(f"{sdk}_{name}", *script, sdk=sdk, **more)


# ---- Mistral ----
mistral = of("mistral")
MISTRAL_USAGE = {"prompt_tokens": 31, "completion_tokens": 12, "total_tokens": 43}


def mistral_says(message, finish="stop"):
    return a.body(
        {
            "id": "cmpl-par1",
            "object": "chat.completion",
            "created": 1761000000,
            "model": "mistral-small-latest",
            "usage": MISTRAL_USAGE,
            "choices": [{"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}],
        }
    )


def mistral_chunk(delta, finish=None, **more):
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    head = {"id": "cmpl-par2", "object": "chat.completion.chunk", "created": 1761000000}
    return a.sse({**head, "model": "mistral-small-latest", "choices": [choice], **more})


MISTRAL_STREAM = a.stream(
    [
        mistral_chunk({"role": "assistant", "content": ""}),
        mistral_chunk({"content": "Paris — "}),
        mistral_chunk({"content": "ville."}),
        mistral_chunk({"content": ""}, "stop", usage=MISTRAL_USAGE),
        a.sse("[DONE]"),
    ]
)


def mistral_refuses(status, kind, message):
    return a.body({"object": "error", "message": message, "type": kind, "param": None, "code": "3000"}, status)


def mistral_client(base):
    from mistralai.client import Mistral

    return Mistral(api_key="parity-secret-0123456789", server_url=base)


def mistral_chat(base, **more):
    with mistral_client(base) as client:
        client.chat.complete(**{"model": "mistral-small-latest", "messages": PARIS, **more})


@mistral("chat", mistral_says({"content": "Paris — ville lumière 漢字."}))
def _(base):
    mistral_chat(base)


@mistral("parameters", mistral_says({"content": "Paris."}, "length"))
def _(base):
    mistral_chat(base, temperature=0.25, top_p=0.9, max_tokens=5, random_seed=42, stop=["END"], presence_penalty=0.5)


@mistral("tools", mistral_says({"content": "", **PARIS_CALL}, "tool_calls"))
def _(base):
    mistral_chat(base, tools=WEATHER, tool_choice="any")


@mistral("tool_result", mistral_says({"content": "Sunny."}))
def _(base):
    mistral_chat(base, tools=WEATHER, messages=ANSWERED)


@mistral("stream", MISTRAL_STREAM, gap=NOT_TRACED)
def _(base):
    with mistral_client(base) as client, client.chat.stream(model="mistral-small-latest", messages=PARIS) as stream:
        for _ in stream:
            pass


@mistral("async", mistral_says({"content": "Paris."}))
async def _(base):
    async with mistral_client(base) as client:
        await client.chat.complete_async(model="mistral-small-latest", messages=PARIS)


for _status, _kind, _words in (
    (401, "invalid_request_error", "Unauthorized"),
    (429, "rate_limited", "Rate limit exceeded"),
):
    mistral(f"error_{_status}", mistral_refuses(_status, _kind, _words))(mistral_chat)


# ---- Groq ----
groq = of("groq")
GROQ = {"model": "llama-3.3-70b-versatile", "messages": PARIS}
GROQ_USAGE = {
    "queue_time": 0.05,
    "prompt_tokens": 31,
    "prompt_time": 0.002,
    "completion_tokens": 12,
    "completion_time": 0.03,
    "total_tokens": 43,
    "total_time": 0.032,
}


def groq_says(message, **more):
    more = {"usage": GROQ_USAGE, "x_groq": {"id": "req_par1"}, "service_tier": "on_demand", **more}
    return a.chat(message, model="llama-3.3-70b-versatile", **more)


GROQ_STREAM = a.stream(
    [a.chunk({"role": "assistant", "content": ""}), a.chunk({"content": "Paris — "}), a.chunk({"content": "ville."})]
    + [a.chunk({}, "stop"), a.chunk({}, usage=True), a.sse("[DONE]")]
)


def groq_chat(base, **more):
    import groq as sdk

    with sdk.Groq(api_key="gsk_parity-secret-0123456789", base_url=base, max_retries=0) as client:
        answer = client.chat.completions.create(**{**GROQ, **more})
        if more.get("stream"):
            for _ in answer:
                pass


@groq("chat", groq_says({"content": "Paris — ville lumière 漢字."}))
def _(base):
    groq_chat(base)


@groq("parameters", groq_says({"content": "Paris."}, finish="length"))
def _(base):
    groq_chat(base, temperature=0.25, top_p=0.9, max_completion_tokens=5, seed=42, stop="END", user="u-1")


@groq("tools", groq_says(PARIS_CALL, finish="tool_calls"))
def _(base):
    groq_chat(base, tools=WEATHER, tool_choice="auto")


@groq("tool_result", groq_says({"content": "Sunny."}))
def _(base):
    groq_chat(base, tools=WEATHER, messages=ANSWERED)


@groq("stream", GROQ_STREAM, gap=REPR)
def _(base):
    groq_chat(base, stream=True)


@groq("async", groq_says({"content": "Paris."}), gap=NOT_TRACED)
async def _(base):
    import groq as sdk

    async with sdk.AsyncGroq(api_key="gsk_parity-secret-0123456789", base_url=base, max_retries=0) as client:
        await client.chat.completions.create(**GROQ)


for _status, _kind, _words in (
    (401, "invalid_request_error", "Invalid API Key"),
    (429, "tokens", "Rate limit reached for model"),
):
    groq(f"error_{_status}", a.openai_error(_status, _kind, _words))(groq_chat)


# ---- LiteLLM ----
litellm = of("litellm")
claude = functools.partial(litellm, path="/messages")
CLAUDE_STREAM = a.message_stream([(a.text(""), a.text_deltas("Par", "is — ", "ville."))])


def asked(base, model="gpt-4o-mini", **more):
    to_claude = model.startswith("claude")
    return {
        "model": f"{'anthropic' if to_claude else 'openai'}/{model}",
        "messages": PARIS,
        "api_base": base if to_claude else base + "/v1",
        "api_key": "sk-parity-secret-0123456789",
        "max_retries": 0,
        **more,
    }


def complete(base, **more):
    import litellm as library

    answer = library.completion(**asked(base, **more))
    if more.get("stream"):
        for _ in answer:
            pass


async def complete_async(base, **more):
    """Its logger works behind the call: without the pause nothing of it would be left to compare with."""
    import litellm as library

    try:
        answer = await library.acompletion(**asked(base, **more))
        if more.get("stream"):
            async for _ in answer:
                pass
    finally:
        await asyncio.sleep(0.5)


@litellm("chat", a.chat({"content": "Paris — ville lumière 漢字."}))
def _(base):
    complete(base)


@litellm("parameters", a.chat({"content": "Paris."}, finish="length"))
def _(base):
    complete(base, temperature=0.25, top_p=0.9, max_tokens=5, seed=42, stop=["END"], user="u-1")


@litellm("tools", a.chat(PARIS_CALL, finish="tool_calls"))
def _(base):
    complete(base, tools=WEATHER, tool_choice="auto")


@litellm("tool_result", a.chat({"content": "Sunny."}))
def _(base):
    complete(base, tools=WEATHER, messages=ANSWERED)


@litellm("stream", a.chat_stream(a.TEXT_DELTAS))
def _(base):
    complete(base, stream=True, stream_options={"include_usage": True})


@litellm("tools_stream", a.chat_stream(a.TOOL_DELTAS, finish="tool_calls"))
def _(base):
    complete(base, stream=True, tools=WEATHER, stream_options={"include_usage": True})


@litellm("async", a.chat({"content": "Paris."}))
async def _(base):
    await complete_async(base)


@litellm("async_stream", a.chat_stream(a.TEXT_DELTAS))
async def _(base):
    await complete_async(base, stream=True, stream_options={"include_usage": True})


for _status, _kind, _words in (
    (401, "invalid_request_error", "Incorrect API key provided: sk-x."),
    (429, "requests", "Rate limit reached for gpt-4o-mini."),
):
    litellm(f"error_{_status}", a.openai_error(_status, _kind, _words))(complete)


@claude("claude_chat", a.message(a.text("Paris — ville lumière.")))
def _(base):
    complete(base, model="claude-sonnet-4-5", max_tokens=100)


@claude("claude_tools", a.message(a.tool_use("get_weather", {"city": "Paris"}), stop="tool_use"))
def _(base):
    complete(base, model="claude-sonnet-4-5", max_tokens=100, tools=WEATHER)


# It has what it wants before the stream's last event, and leaves.
@claude("claude_stream", CLAUDE_STREAM, end="client_cancel")
def _(base):
    complete(base, model="claude-sonnet-4-5", max_tokens=100, stream=True)


@claude("claude_error_429", a.anthropic_error(429, "rate_limit_error", "Slow down."))
def _(base):
    complete(base, model="claude-sonnet-4-5", max_tokens=100)
