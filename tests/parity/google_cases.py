# SPDX-License-Identifier: Apache-2.0
"""Google's part of the table in cases.py."""

import base64

import answers as a
from cases import NOT_TRACED, PIXEL, case

NESTED = "two or three spans for one exchange, with the SDK's objects"
MODEL = "gemini-2.5-flash"
USAGE = {"promptTokenCount": 8, "candidatesTokenCount": 3, "totalTokenCount": 40, "thoughtsTokenCount": 29}
WEATHER = {
    "name": "get_weather",
    "description": "Current weather",
    "parameters": {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}, "required": ["city"]},
}


def google(name, *script, gap=NESTED, **more):
    return case(f"google_{name}", *script, sdk="google", gap=gap, **more)


def chunk(*parts, finish="STOP", **more):
    candidate = {"content": {"parts": list(parts), "role": "model"}, "index": 0}
    if finish:
        candidate["finishReason"] = finish
    return {"candidates": [candidate], "usageMetadata": USAGE, "modelVersion": MODEL, "responseId": "par1", **more}


def answer(*parts, **more):
    return a.body(chunk(*parts, **more))


def stream(*chunks):
    return a.stream([a.sse(c).replace("\n", "\r\n") for c in chunks])


def refused(code, status, message):
    return a.body({"error": {"code": code, "message": message, "status": status}}, status=code)


TEXT = {"text": "Paris — ville lumière. 漢字"}
PIECES = [chunk({"text": t}, finish=f) for t, f in (("Par", None), ("is — ", None), ("ville.", "STOP"))]
CALL = {"functionCall": {"name": "get_weather", "args": {"city": "Paris"}}, "thoughtSignature": "Cg1GYWtl"}


def generate(client, contents="What is the capital of France? é", **config):
    return client.models.generate_content(model=MODEL, contents=contents, config=config or None)


@google("generate", answer(TEXT))
def _(client):
    generate(client)


@google("config", answer({"text": "Hm.", "thought": True}, TEXT))
def _(client):
    generate(
        client,
        system_instruction="Be terse.",
        temperature=0.2,
        max_output_tokens=100,
        top_k=3,
        thinking_config={"include_thoughts": True},
    )


@google("tools", answer(CALL))
def _(client):
    generate(client, tools=[{"function_declarations": [WEATHER]}])


@google("tools_automatic", answer(CALL), answer({"text": "18 degrees."}), traces=2)
def _(client):
    def get_weather(city: str) -> dict:
        """Current weather"""
        return {"celsius": 18}

    generate(client, tools=[get_weather])


@google("json_schema", answer({"text": '{"city": "Paris"}'}))
def _(client):
    schema = {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}}
    generate(client, response_mime_type="application/json", response_schema=schema)


@google("image", answer({"text": "A dot."}))
def _(client):
    from google.genai import types

    image = types.Part.from_bytes(data=base64.b64decode(PIXEL), mime_type="image/png")
    generate(client, contents=["What is this?", image])


@google("chat", answer({"text": "Paris."}), answer({"text": "Two million."}), traces=2)
def _(client):
    chat = client.chats.create(model=MODEL)
    chat.send_message("Capital of France?")
    chat.send_message("How many live there?")


@google("stream", stream(*PIECES), gap=NOT_TRACED)
def _(client):
    for _ in client.models.generate_content_stream(model=MODEL, contents="Where?"):
        pass


@google("chat_stream", stream(*PIECES), gap=NOT_TRACED)
def _(client):
    for _ in client.chats.create(model=MODEL).send_message_stream("Where?"):
        pass


@google("async", answer(TEXT))
async def _(client):
    await client.aio.models.generate_content(model=MODEL, contents="Where?")


@google("async_stream", stream(*PIECES), gap=NOT_TRACED)
async def _(client):
    async for _ in await client.aio.models.generate_content_stream(model=MODEL, contents="Where?"):
        pass


@google("embed", a.body({"embeddings": [{"values": [0.1, 0.2]}]}))
def _(client):
    client.models.embed_content(model="gemini-embedding-001", contents="hello")


@google("count_tokens", a.body({"totalTokens": 8}))
def _(client):
    client.models.count_tokens(model=MODEL, contents="Where?")


@google(
    "blocked",
    a.body(
        {
            "promptFeedback": {"blockReason": "SAFETY"},
            "usageMetadata": {"promptTokenCount": 8, "totalTokenCount": 8},
            "modelVersion": MODEL,
        }
    ),
)
def _(client):
    generate(client)


@google("error_400", refused(400, "INVALID_ARGUMENT", "API key not valid."))
def _(client):
    generate(client)


@google("error_429", refused(429, "RESOURCE_EXHAUSTED", "Quota exceeded: 'é'."))
def _(client):
    generate(client)


@google("error_503", refused(503, "UNAVAILABLE", "The model is overloaded."))
def _(client):
    generate(client)
