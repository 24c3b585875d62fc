# SPDX-License-Identifier: Apache-2.0
"""The table of parity cases: what the provider says, and the calls that a program makes. Imported by the program
under trace (with the real SDKs) and by the test (without them), so SDKs are imported only inside the calls."""

import asyncio
import threading
import time
from dataclasses import dataclass, field

import answers as a

CASES = {}


@dataclass
class Case:
    name: str
    script: list
    call: object
    sdk: str = "openai"
    is_async: bool = False
    traces: int = 1  # that ours must have; autolog the same unless there is a gap
    gap: str = ""  # what autolog loses here: then ours is also held against the wire
    retries: int = 0
    timeout: float = 60.0
    options: dict = field(default_factory=dict)  # of the provider's path
    end: str = "complete"  # spantap.end of the span
    path: str = ""  # how the path ends, where the SDK does not tell


def case(name, *script, **more):
    def add(call):
        CASES[name] = Case(name, list(script), call, is_async=asyncio.iscoroutinefunction(call), **more)
        return call

    return add


LOST_TOOLS = "tool calls of the stream are lost"
CLOSED = "no trace at all when the client closes or cancels"
REPR = "output is the repr of the Stream object, no usage, OK even when the stream fails"
NOT_TRACED = "not traced"
ATTEMPTS = "the failed attempts are invisible"

PARIS = [
    {"role": "system", "content": "You are terse."},
    {"role": "user", "content": "What is the capital of France? é 漢字 \U0001f600"},
]
WEATHER = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Current weather in a city",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}, "unit": {"type": "string", "enum": ["c", "f"]}},
                "required": ["city"],
            },
        },
    }
]
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
SCHEMA = {
    "type": "json_schema",
    "json_schema": {
        "name": "city",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "population": {"type": "integer"}},
            "required": ["name", "population"],
            "additionalProperties": False,
        },
    },
}
CITY = '{"name":"Paris","population":2100000}'


def chat(client, **more):
    return client.chat.completions.create(**{"model": "gpt-4o-mini", "messages": PARIS, **more})


def drain(stream):
    for _ in stream:
        pass


# ---- OpenAI: chat ----
@case("chat", a.chat({"content": "Paris — ville lumière 漢字."}))
def _(client):
    chat(client)


@case("chat_parameters", a.chat({"content": "Paris."}, finish="length"))
def _(client):
    chat(
        client,
        temperature=0.25,
        top_p=0.9,
        max_tokens=5,
        seed=42,
        stop=["\n\n", "END"],
        presence_penalty=0.5,
        user="u-1",
        logit_bias={"50256": -100},
        metadata={"k": "v"},
        store=False,
    )


@case("chat_developer_reasoning", a.chat({"content": "Paris."}, model="o4-mini-2025-04-16"))
def _(client):
    chat(
        client,
        model="o4-mini",
        reasoning_effort="low",
        max_completion_tokens=100,
        messages=[
            {"role": "developer", "content": "Be terse."},
            {"role": "user", "content": [{"type": "text", "text": "Capital of France?"}]},
        ],
    )


@case("chat_stream", a.chat_stream(a.TEXT_DELTAS))
def _(client):
    drain(chat(client, stream=True, stream_options={"include_usage": True}))


@case("chat_stream_no_usage", a.chat_stream(a.TEXT_DELTAS, usage=False))
def _(client):
    drain(chat(client, stream=True))


@case("chat_stream_gzip", a.chat_stream(a.TEXT_DELTAS), options={"enc": "gzip"})
def _(client):
    drain(chat(client, stream=True, stream_options={"include_usage": True}))


@case("chat_long_prompt", a.chat({"content": "Long."}))
def _(client):
    chat(client, messages=[{"role": "user", "content": "lorem ipsum \u00e9\u20ac " * 15000}])


@case(
    "chat_tools",
    a.chat(
        {"tool_calls": [a.call("get_weather", '{"city":"Paris"}'), a.call("get_weather", '{"city":"Rome"}', 2)]},
        finish="tool_calls",
    ),
)
def _(client):
    chat(client, tools=WEATHER, tool_choice="auto", parallel_tool_calls=True)


@case("chat_tool_result", a.chat({"content": "Sunny in Paris."}))
def _(client):
    chat(
        client,
        tools=WEATHER,
        messages=PARIS
        + [
            {"role": "assistant", "content": None, "tool_calls": [a.call("get_weather", '{"city":"Paris"}')]},
            {"role": "tool", "tool_call_id": "call_1", "content": '{"sky":"clear"}'},
        ],
    )


@case("chat_tools_stream", a.chat_stream(a.TOOL_DELTAS, finish="tool_calls"), gap=LOST_TOOLS)
def _(client):
    drain(chat(client, tools=WEATHER, stream=True, stream_options={"include_usage": True}))


@case("chat_structured_schema", a.chat({"content": CITY}))
def _(client):
    chat(client, response_format=SCHEMA)


@case("chat_structured_parse", a.chat({"content": CITY}))
def _(client):
    import pydantic

    class City(pydantic.BaseModel):
        name: str
        population: int

    client.chat.completions.parse(model="gpt-4o-mini", messages=PARIS, response_format=City)


@case("chat_image_data", a.chat({"content": "A pixel."}))
def _(client):
    chat(
        client,
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is this?"},
                    {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}", "detail": "low"}},
                ],
            }
        ],
    )


@case("chat_image_url", a.chat({"content": "A cat."}))
def _(client):
    chat(
        client,
        messages=[
            {
                "role": "user",
                "content": [
                    {"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}},
                    {"type": "text", "text": "What is this?"},
                ],
            }
        ],
    )


@case("chat_n3", a.chat({"content": "Paris."}, {"content": "It is Paris."}, {"content": "PARIS"}))
def _(client):
    chat(client, n=3)


@case(
    "chat_n2_stream",
    a.stream(
        [
            a.chunk({"role": "assistant", "content": ""}),
            a.chunk({"role": "assistant", "content": ""}, index=1),
            a.chunk({"content": "Par"}),
            a.chunk({"content": "Ro"}, index=1),
            a.chunk({"content": "is"}),
            a.chunk({"content": "me"}, index=1),
            a.chunk({}, "stop"),
            a.chunk({}, "stop", index=1),
            a.sse("[DONE]"),
        ]
    ),
    gap="texts of all choices are glued into choice 0",
)
def _(client):
    drain(chat(client, n=2, stream=True))


@case("chat_logprobs", a.chat({"content": "Paris."}, service_tier="flex"))
def _(client):
    chat(client, logprobs=True, top_logprobs=2, service_tier="flex")


@case("chat_refusal", a.chat({"refusal": "I cannot help with that."}))
def _(client):
    chat(client)


@case("chat_extra_body", a.chat({"content": "Paris."}))
def _(client):
    chat(client, extra_body={"top_k": 5, "custom_field": {"a": [1, 2]}}, extra_headers={"X-Own": "1"})


@case(
    "chat_three_turns",
    a.chat({"content": "One."}),
    a.chat({"content": "Two."}),
    a.chat({"content": "Three."}),
    traces=3,
)
def _(client):
    for words in ("first", "second", "third"):
        chat(client, messages=[{"role": "user", "content": words}])
        time.sleep(0.02)


@case("completions_legacy", a.completion("Paris is"), gap="no usage; streamed: output is bare text")
def _(client):
    client.completions.create(model="gpt-3.5-turbo-instruct", prompt="The capital of France", max_tokens=3)


# ---- OpenAI: responses, embeddings ----
@case("responses", a.body(a.response(a.output_text("Paris — ville lumière."))))
def _(client):
    client.responses.create(
        model="gpt-4o-mini", input="What is the capital of France?", instructions="Be terse.", temperature=1.0
    )


@case("responses_list_tools", a.body(a.response(a.function_call("get_weather", '{"city":"Paris"}'))))
def _(client):
    client.responses.create(
        model="gpt-4o-mini",
        input=[{"role": "developer", "content": "Be terse."}, {"role": "user", "content": "Weather in Paris?"}],
        tools=[{"type": "function", **WEATHER[0]["function"]}],
        tool_choice="auto",
        store=False,
    )


@case("responses_image", a.body(a.response(a.output_text("A pixel."))))
def _(client):
    client.responses.create(
        model="gpt-4o-mini",
        input=[
            {
                "role": "user",
                "content": [
                    {"type": "input_text", "text": "What is this?"},
                    {"type": "input_image", "image_url": "https://example.com/cat.png", "detail": "auto"},
                ],
            }
        ],
    )


@case("responses_structured", a.body(a.response(a.output_text(CITY))))
def _(client):
    client.responses.create(
        model="gpt-4o-mini",
        input="A city.",
        text={
            "format": {"type": "json_schema", "name": "city", "strict": True, "schema": SCHEMA["json_schema"]["schema"]}
        },
    )


@case("responses_stream", a.responses_stream(["Par", "is — ", "ville."]))
def _(client):
    drain(client.responses.create(model="gpt-4o-mini", input="What is the capital of France?", stream=True))


@case("embeddings_list", a.embeddings(2), gap="no usage")
def _(client):
    client.embeddings.create(model="text-embedding-3-small", input=["hello", "world"])


@case("embeddings_one", a.embeddings(1), gap="no usage")
def _(client):
    client.embeddings.create(model="text-embedding-3-small", input="hello", dimensions=5)


@case("embeddings_float", a.embeddings(2, as_base64=False), gap="no usage")
def _(client):
    client.embeddings.create(model="text-embedding-3-small", input=["hello", "world"], encoding_format="float")


@case("embeddings_base64", a.embeddings(1), gap="no usage")
def _(client):
    client.embeddings.create(model="text-embedding-3-small", input=["hello"], encoding_format="base64")


# ---- OpenAI: what goes wrong ----
for _status, _kind, _words, _code in (
    (400, "invalid_request_error", "Invalid value for 'temperature'.", None),
    (401, "invalid_request_error", "Incorrect API key provided: sk-x.", "invalid_api_key"),
    (403, "permission_error", "Country not supported.", "unsupported_country"),
    (404, "invalid_request_error", "The model `gpt-9` does not exist.", "model_not_found"),
    (429, "requests", "Rate limit reached for gpt-4o-mini.", "rate_limit_exceeded"),
    (500, "server_error", "The server had an error.", None),
):
    case(f"error_{_status}", a.openai_error(_status, _kind, _words, _code))(lambda client: chat(client))

case("error_400_stream", a.openai_error(400, "invalid_request_error", "Unsupported value."))(
    lambda client: chat(client, stream=True)
)
case("error_400_responses", a.openai_error(400, "invalid_request_error", "Unsupported value."))(
    lambda client: client.responses.create(model="gpt-4o-mini", input="x")
)
case(
    "error_502_html",
    {"status": 502, "headers": {"content-type": "text/html"}, "body": "<html><body>Bad Gateway</body></html>"},
)(lambda client: chat(client))
case(
    "error_429_then_ok",
    a.openai_error(429, "requests", "Slow down."),
    a.chat({"content": "Paris."}),
    retries=2,
    gap=ATTEMPTS,
)(lambda client: chat(client))
case("error_500_exhausted", a.openai_error(500, "server_error", "Down."), retries=1, gap=ATTEMPTS)(
    lambda client: chat(client)
)
case("timeout", {"status": None, "note": "no answer for 4s"}, timeout=0.6, end="timeout")(lambda client: chat(client))


@case(
    "client_cancel_stream",
    a.stream(
        [
            a.chunk({"role": "assistant", "content": ""}),
            a.chunk({"content": "Par"}),
            a.chunk({"content": "is"}),
            "<pause 5s>",
        ]
    ),
    gap=CLOSED,
    end="client_cancel",
)
def _(client):
    stream = chat(client, stream=True)
    for _ in range(3):
        next(stream)
    stream.close()


@case(
    "client_cancel_responses_stream",
    a.stream(a.responses_stream(["Par", "is"])["chunks"][:5] + ["<pause 5s>"]),
    gap=CLOSED,
    end="client_cancel",
)
def _(client):
    stream = client.responses.create(model="gpt-4o-mini", input="x", stream=True)
    for _ in range(5):
        next(stream)
    stream.close()


@case(
    "stream_error_event",
    a.stream(
        [
            a.chunk({"role": "assistant", "content": "Par"}),
            a.sse(
                {"error": {"message": "The server had an error.", "type": "server_error", "param": None, "code": None}}
            ),
        ]
    ),
    gap="the text received so far is only in the chunk events; no outputs",
)
def _(client):
    drain(chat(client, stream=True))


@case(
    "stream_connection_drop",
    a.stream(
        [a.chunk({"role": "assistant", "content": ""}), a.chunk({"content": "Par"}), "<connection closed by server>"]
    ),
    gap="the text received so far is only in the chunk events; no outputs",
    end="server_cut",
)
def _(client):
    drain(chat(client, stream=True))


# ---- OpenAI: asynchronous, concurrent ----
@case("async_chat", a.chat({"content": "Paris."}))
async def _(client):
    await chat(client)


@case("async_chat_stream", a.chat_stream(a.TEXT_DELTAS))
async def _(client):
    async for _ in await chat(client, stream=True, stream_options={"include_usage": True}):
        pass


@case("async_responses_stream", a.responses_stream(["Par", "is."]))
async def _(client):
    async for _ in await client.responses.create(model="gpt-4o-mini", input="Capital?", stream=True):
        pass


@case("async_embeddings", a.embeddings(2), gap="no usage")
async def _(client):
    await client.embeddings.create(model="text-embedding-3-small", input=["hello", "world"])


@case("async_error_429", a.openai_error(429, "requests", "Rate limit reached."))
async def _(client):
    await chat(client)


@case("async_timeout", {"status": None, "note": "no answer for 4s"}, timeout=0.6, end="timeout")
async def _(client):
    await chat(client)


@case(
    "async_cancel_stream",
    a.stream([a.chunk({"role": "assistant", "content": ""}), a.chunk({"content": "Par"}), "<pause 5s>"]),
    gap=CLOSED,
    end="client_cancel",
)
async def _(client):
    stream = await chat(client, stream=True)
    await stream.__anext__()
    await stream.__anext__()
    await stream.close()


@case("async_concurrent4", *[a.chat({"content": "Same for all."})], traces=4)
async def _(client):
    await asyncio.gather(*(chat(client, messages=[{"role": "user", "content": f"question {i}"}]) for i in range(4)))


@case("threads2", a.chat_stream(a.TEXT_DELTAS), traces=2, options={"delay": 0.02})
def _(client):
    threads = [
        threading.Thread(
            target=lambda i=i: drain(chat(client, stream=True, messages=[{"role": "user", "content": f"thread {i}"}]))
        )
        for i in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


import anthropic_cases  # noqa: E402,F401  the other parts of the table
import google_cases  # noqa: E402,F401
import bedrock_cases  # noqa: E402,F401
import library_cases  # noqa: E402,F401
import framework_cases  # noqa: E402,F401
