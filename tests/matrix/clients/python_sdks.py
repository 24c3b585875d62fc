#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The Python SDKs, each with what it can do: python_sdks.py NAME.

MATRIX holds [{"base": URL, "http2": BOOL, "plain": BOOL}]; for each base every call of the SDK is made and told as one
line of JSON: {"base", "call", "text", "tools"} as the SDK itself understood the answer, or {"base", "call", "error"}; with
"model" where calls are made at the same time.
"""

import asyncio
import json
import os
import sys

import python_others
from python_common import CITY, FUNCTION, MESSAGES, PROMPT, TOOLS, ChatCompletions, text_only, tools_of


class OpenAi(ChatCompletions):
    calls = ("chat", "stream", "tools", "responses", "responses_stream", "embed", "azure")

    def __init__(self, base, target):
        import openai

        http = openai.DefaultHttpxClient(http2=True) if target["http2"] else None
        self.base, self.http = base, http
        self.client = openai.OpenAI(base_url=base + "/v1", api_key="x", max_retries=0, http_client=http)

    def create(self, **asked):
        return self.client.chat.completions.create(model="gpt-matrix", **asked)

    def responses(self):
        return text_only(self.client.responses.create(model="gpt-matrix", input=MESSAGES).output_text)

    def responses_stream(self):
        stream = self.client.responses.create(model="gpt-matrix", input=MESSAGES, stream=True)
        return text_only("".join(e.delta for e in stream if e.type == "response.output_text.delta"))

    def azure(self):
        import openai

        there = {"azure_endpoint": self.base, "api_version": "2026-01-01", "http_client": self.http}
        azure = openai.AzureOpenAI(api_key="x", max_retries=0, **there)
        return text_only(azure.chat.completions.create(model="gpt-matrix", messages=MESSAGES).choices[0].message.content)

    def embed(self):
        return {"vectors": len(self.client.embeddings.create(model="embed-matrix", input=[PROMPT, "two"]).data)}


class OpenAiAsync:
    calls = ("chat", "stream")

    def __init__(self, base, target):
        self.base, self.http2 = base, target["http2"]

    async def each(self, **asked):
        import openai

        http = openai.DefaultAsyncHttpxClient(http2=True) if self.http2 else None
        client = openai.AsyncOpenAI(base_url=self.base + "/v1", api_key="x", max_retries=0, http_client=http)
        async with client:
            answer = await client.chat.completions.create(model="gpt-matrix", messages=MESSAGES, **asked)
            if "stream" not in asked:
                return answer.choices[0].message.content
            return "".join([c.choices[0].delta.content or "" async for c in answer if c.choices])

    def chat(self):
        return text_only(asyncio.run(self.each()))

    def stream(self):
        return text_only(asyncio.run(self.each(stream=True, stream_options={"include_usage": True})))


class Anthropic:
    calls = ("chat", "stream", "tools", "stream_tools")

    def __init__(self, base, target):
        import anthropic

        http = anthropic.DefaultHttpxClient(http2=True) if target["http2"] else None
        self.client = anthropic.Anthropic(base_url=base, api_key="x", max_retries=0, http_client=http)
        self.asked = {"model": "claude-matrix", "max_tokens": 100, "messages": MESSAGES}
        self.offered = [{"name": "get_weather", "description": "weather", "input_schema": CITY}]

    def chat(self):
        return text_only(self.client.messages.create(**self.asked).content[0].text)

    def stream(self):
        with self.client.messages.stream(**self.asked) as stream:
            return text_only("".join(stream.text_stream))

    @staticmethod
    def used(message):
        return {"tools": [[b.name, b.input] for b in message.content if b.type == "tool_use"]}

    def tools(self):
        return self.used(self.client.messages.create(tools=self.offered, **self.asked))

    def stream_tools(self):
        with self.client.messages.stream(tools=self.offered, **self.asked) as stream:
            return self.used(stream.get_final_message())


class Ollama:
    calls = ("chat", "stream", "tools", "generate")

    def __init__(self, base, target):
        import ollama

        self.client = ollama.Client(host=base)
        # The library keeps the scheme, host and path of its host; the path steers the provider.
        self.client._client.base_url = base

    def chat(self):
        return text_only(self.client.chat(model="llama-matrix", messages=MESSAGES).message.content)

    def stream(self):
        parts = self.client.chat(model="llama-matrix", messages=MESSAGES, stream=True)
        return text_only("".join(p.message.content or "" for p in parts))

    def tools(self):
        answer = self.client.chat(model="llama-matrix", messages=MESSAGES, tools=TOOLS)
        return {"tools": tools_of(answer.message.tool_calls)}

    def generate(self):
        return text_only(self.client.generate(model="llama-matrix", prompt=PROMPT).response)


class Groq(ChatCompletions):
    calls = ("chat", "stream", "tools")

    def __init__(self, base, target):
        import groq

        http = groq.DefaultHttpxClient(http2=True) if target["http2"] else None
        self.client = groq.Groq(base_url=base, api_key="x", max_retries=0, http_client=http)

    def create(self, **asked):
        return self.client.chat.completions.create(model="groq-matrix", **asked)


class Together(Groq):
    calls = ("chat", "stream", "tools")

    def __init__(self, base, target):
        import together

        self.client = together.Together(base_url=base + "/v1", api_key="x", max_retries=0)


class LiteLlm(ChatCompletions):
    calls = ("chat", "stream", "tools", "claude")

    def __init__(self, base, target):
        os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"
        import litellm

        self.base, self.completion = base, litellm.completion

    def create(self, **asked):
        return self.completion(model="openai/gpt-matrix", api_base=self.base + "/v1", api_key="x", **asked)

    def claude(self):
        answer = self.completion(model="anthropic/claude-matrix", api_base=self.base, api_key="x", messages=MESSAGES)
        return text_only(answer.choices[0].message.content)


class Mistral(ChatCompletions):
    calls = ("chat", "stream", "tools")

    def __init__(self, base, target):
        import httpx

        try:
            from mistralai import Mistral as Client
        except ImportError:
            from mistralai.client import Mistral as Client
        http = httpx.Client(http2=True) if target["http2"] else None
        self.client = Client(api_key="x", server_url=base, client=http)

    def create(self, **asked):
        return self.client.chat.complete(model="mistral-matrix", **asked)

    def streamed(self, **asked):
        return self.client.chat.stream(model="mistral-matrix", **asked)


class Gemini:
    calls = ("chat", "stream", "tools", "vertex")

    def __init__(self, base, target):
        from google import genai

        options = {"base_url": base}
        if target["http2"]:
            options["client_args"] = {"http2": True}
        self.client, self.options = genai.Client(api_key="x", http_options=options), options
        self.asked = {"model": "gemini-matrix", "contents": PROMPT}

    def chat(self):
        return text_only(self.client.models.generate_content(**self.asked).text)

    def stream(self):
        return text_only("".join(c.text or "" for c in self.client.models.generate_content_stream(**self.asked)))

    def vertex(self):
        from google import genai
        from google.oauth2.credentials import Credentials

        where = {"vertexai": True, "project": "p", "location": "us-east1", "credentials": Credentials("x")}
        client = genai.Client(http_options=self.options, **where)
        return text_only("".join(c.text or "" for c in client.models.generate_content_stream(**self.asked)))

    def tools(self):
        config = {"tools": [{"function_declarations": [FUNCTION]}]}
        answer = self.client.models.generate_content(config=config, **self.asked)
        return {"tools": [[c.name, c.args] for c in answer.function_calls]}


class Bedrock:
    calls = ("chat", "stream", "tools", "invoke", "invoke_stream")

    def __init__(self, base, target):
        import boto3

        keys = {"aws_access_key_id": "x", "aws_secret_access_key": "x", "region_name": "us-east-1"}
        self.client = boto3.client("bedrock-runtime", endpoint_url=base, verify=os.environ["SSL_CERT_FILE"], **keys)
        self.asked = {
            "modelId": "anthropic.claude-matrix-v1:0",
            "messages": [{"role": "user", "content": [{"text": PROMPT}]}],
        }
        body = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 100, "messages": MESSAGES}
        self.raw = {"modelId": self.asked["modelId"], "body": json.dumps(body)}

    def chat(self):
        return text_only(self.client.converse(**self.asked)["output"]["message"]["content"][0]["text"])

    def stream(self):
        events = self.client.converse_stream(**self.asked)["stream"]
        return text_only("".join(e["contentBlockDelta"]["delta"]["text"] for e in events if "contentBlockDelta" in e))

    def tools(self):
        spec = {"name": "get_weather", "description": "weather", "inputSchema": {"json": CITY}}
        answer = self.client.converse(toolConfig={"tools": [{"toolSpec": spec}]}, **self.asked)
        used = [b["toolUse"] for b in answer["output"]["message"]["content"] if "toolUse" in b]
        return {"tools": [[u["name"], u["input"]] for u in used]}

    def invoke(self):
        return text_only(json.loads(self.client.invoke_model(**self.raw)["body"].read())["content"][0]["text"])

    def invoke_stream(self):
        events = self.client.invoke_model_with_response_stream(**self.raw)["body"]
        events = [json.loads(e["chunk"]["bytes"]) for e in events]
        return text_only("".join(e["delta"]["text"] for e in events if e["type"] == "content_block_delta"))


class Cohere:
    calls = ("chat", "stream", "tools", "rerank", "embed", "first", "first_stream", "first_embed")

    def __init__(self, base, target):
        import cohere
        import httpx

        http = httpx.Client(http2=True) if target["http2"] else None
        there = {"api_key": "x", "base_url": base, "httpx_client": http}
        self.client, self.older = cohere.ClientV2(**there), cohere.Client(**there)
        self.asked = {"model": "command-matrix", "messages": MESSAGES}

    def chat(self):
        return text_only(self.client.chat(**self.asked).message.content[0].text)

    def stream(self):
        events = [e for e in self.client.chat_stream(**self.asked) if e.type == "content-delta"]
        return text_only("".join(e.delta.message.content.text for e in events))

    def tools(self):
        return {"tools": tools_of(self.client.chat(tools=TOOLS, **self.asked).message.tool_calls)}

    def rerank(self):
        answer = self.client.rerank(model="rerank-matrix", query=PROMPT, documents=["a", "b", "c"], top_n=2)
        return {"vectors": len(answer.results)}

    def first(self):
        """The first API, which the older of its two clients still speaks."""
        return text_only(self.older.chat(model="command-matrix", message=PROMPT).text)

    def first_stream(self):
        events = self.older.chat_stream(model="command-matrix", message=PROMPT)
        return text_only("".join(e.text for e in events if e.event_type == "text-generation"))

    def first_embed(self):
        asked = {"input_type": "search_query", "texts": [PROMPT, "two"]}
        return {"vectors": len(self.older.embed(model="embed-matrix", **asked).embeddings)}

    def embed(self):
        asked = {"input_type": "search_query", "embedding_types": ["float"], "texts": [PROMPT, "two"]}
        return {"vectors": len(self.client.embed(model="embed-matrix", **asked).embeddings.float_)}


class Voyage:
    calls = ("embed", "rerank")

    def __init__(self, base, target):
        import voyageai

        self.client = voyageai.Client(api_key="x", base_url=base + "/v1")

    def embed(self):
        return {"vectors": len(self.client.embed([PROMPT, "two"], model="voyage-matrix").embeddings)}

    def rerank(self):
        return {"vectors": len(self.client.rerank(PROMPT, ["a", "b", "c"], model="rerank-matrix", top_k=2).results)}


class Httpx:
    """No SDK: the bare client that most of them stand on; and Gemini's stream that is one array, which no SDK asks for."""

    calls = ("chat", "stream", "gemini_array")

    def __init__(self, base, target):
        import httpx

        self.url = base + "/v1/chat/completions"
        self.client = httpx.Client(http1=not target["http2"], http2=target["http2"])
        self.asked = {"model": "gpt-matrix", "messages": MESSAGES}

    def chat(self):
        return text_only(self.client.post(self.url, json=self.asked).json()["choices"][0]["message"]["content"])

    def stream(self):
        parts = []
        with self.client.stream("POST", self.url, json=dict(self.asked, stream=True)) as answer:
            for line in answer.iter_lines():
                if line.startswith("data: {"):
                    parts += [c["delta"].get("content") or "" for c in json.loads(line[6:])["choices"]]
        return text_only("".join(parts))

    def gemini_array(self):
        url = self.url.replace("/v1/chat/completions", "/v1beta/models/gemini-matrix:streamGenerateContent")
        answer = self.client.post(url, json={"contents": [{"role": "user", "parts": [{"text": PROMPT}]}]}).json()
        return text_only("".join(c["candidates"][0]["content"]["parts"][0]["text"] for c in answer))


class HttpxAsync:
    """Streams side by side: on one connection with HTTP/2, on several with HTTP/1.1."""

    calls = ("parallel",)

    def __init__(self, base, target):
        self.base, self.http2 = base.replace("noise=1", "noise=1,events=20,delay=0.002"), target["http2"]

    async def one(self, client, number):
        model, parts = f"gpt-matrix-{number}", []
        asked = {"model": model, "messages": MESSAGES, "stream": True}
        async with client.stream("POST", self.base + "/v1/chat/completions", json=asked) as answer:
            async for line in answer.aiter_lines():
                if line.startswith("data: {"):
                    parts += [c["delta"].get("content") or "" for c in json.loads(line[6:])["choices"]]
        return {"model": model, "text": "".join(parts)}

    async def all(self):
        import httpx

        async with httpx.AsyncClient(http1=not self.http2, http2=self.http2) as client:
            return await asyncio.gather(*(self.one(client, number) for number in range(8)))

    def parallel(self):
        return list(asyncio.run(self.all()))


class AnthropicAsync:
    calls = ("chat", "stream")

    def __init__(self, base, target):
        self.base, self.http2 = base, target["http2"]
        self.asked = {"model": "claude-matrix", "max_tokens": 100, "messages": MESSAGES}

    def client(self):
        import anthropic

        http = anthropic.DefaultAsyncHttpxClient(http2=True) if self.http2 else None
        return anthropic.AsyncAnthropic(base_url=self.base, api_key="x", max_retries=0, http_client=http)

    async def once(self):
        async with self.client() as client:
            return (await client.messages.create(**self.asked)).content[0].text

    async def streamed(self):
        async with self.client() as client, client.messages.stream(**self.asked) as stream:
            return "".join([part async for part in stream.text_stream])

    def chat(self):
        return text_only(asyncio.run(self.once()))

    def stream(self):
        return text_only(asyncio.run(self.streamed()))


class Xai:
    """gRPC: the base is host:port."""

    calls = ("chat", "stream", "tools")

    def __init__(self, base, target):
        import xai_sdk

        self.client = xai_sdk.Client(api_key="x", api_host=base, use_insecure_channel=target["plain"])

    def asked(self, **more):
        from xai_sdk.chat import user

        return self.client.chat.create(model="grok-matrix", messages=[user(PROMPT)], **more)

    def chat(self):
        return text_only(self.asked().sample().content)

    def stream(self):
        return text_only("".join(chunk.content for _, chunk in self.asked().stream()))

    def tools(self):
        from xai_sdk.chat import tool

        offered = [tool(name="get_weather", description="weather", parameters=CITY)]
        return {"tools": tools_of(self.asked(tools=offered).sample().tool_calls)}


def grpc_channel(base, target):
    import grpc

    if target["plain"]:
        return grpc.insecure_channel(base)
    return grpc.secure_channel(base, grpc.ssl_channel_credentials())


class GoogleGrpc:
    """The base is host:port."""

    calls = ("chat", "stream", "tools")
    model = "models/gemini-matrix"

    def __init__(self, base, target):
        from google.ai import generativelanguage as google
        from google.ai.generativelanguage_v1beta.services.generative_service import transports

        self.google = google
        transport = transports.GenerativeServiceGrpcTransport(channel=grpc_channel(base, target))
        self.client = google.GenerativeServiceClient(transport=transport)

    def asked(self, **more):
        said = self.google.Content(role="user", parts=[self.google.Part(text=PROMPT)])
        return self.google.GenerateContentRequest(model=self.model, contents=[said], **more)

    @staticmethod
    def parts(answer):
        return answer.candidates[0].content.parts

    def chat(self):
        return text_only(self.parts(self.client.generate_content(self.asked()))[0].text)

    def stream(self):
        return text_only("".join(self.parts(a)[0].text for a in self.client.stream_generate_content(self.asked())))

    def tools(self):
        declared = self.google.FunctionDeclaration(name="get_weather", description="weather")
        offered = self.google.Tool(function_declarations=[declared])
        used = self.parts(self.client.generate_content(self.asked(tools=[offered])))[0].function_call
        return {"tools": [[used.name, dict(used.args)]]}


class VertexGrpc(GoogleGrpc):
    model = "projects/p/locations/us-east1/publishers/google/models/gemini-matrix"

    def __init__(self, base, target):
        from google.cloud import aiplatform_v1 as google
        from google.cloud.aiplatform_v1.services.prediction_service import transports

        self.google = google
        transport = transports.PredictionServiceGrpcTransport(channel=grpc_channel(base, target))
        self.client = google.PredictionServiceClient(transport=transport)


class AnthropicBedrock(Anthropic):
    """Anthropic's own way to Bedrock: signed, its streams in Amazon's frames."""

    def __init__(self, base, target):
        import anthropic

        keys = {"aws_access_key": "x", "aws_secret_key": "x", "aws_region": "us-east-1"}
        self.client = anthropic.AnthropicBedrock(base_url=base, max_retries=0, **keys)
        self.asked = {"model": "anthropic.claude-matrix-v1:0", "max_tokens": 100, "messages": MESSAGES}
        self.offered = [{"name": "get_weather", "description": "weather", "input_schema": CITY}]


class AnthropicVertex(Anthropic):
    def __init__(self, base, target):
        import anthropic

        http = anthropic.DefaultHttpxClient(http2=True) if target["http2"] else None
        there = {"region": "us-east5", "project_id": "p", "access_token": "x", "base_url": base + "/v1"}
        self.client = anthropic.AnthropicVertex(max_retries=0, http_client=http, **there)
        self.asked = {"model": "claude-matrix", "max_tokens": 100, "messages": MESSAGES}
        self.offered = [{"name": "get_weather", "description": "weather", "input_schema": CITY}]


class WebSocketResponses:
    """OpenAI's Responses over one WebSocket."""

    calls = ("responses", "responses_again")

    def __init__(self, base, target):
        import ssl

        from websockets.sync.client import connect

        url = base.replace("http", "ws", 1) + "/v1/responses"
        context = None if target["plain"] else ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])
        self.socket = connect(url, ssl=context, additional_headers={"Authorization": "Bearer x"})

    def responses(self):
        self.socket.send(json.dumps({"type": "response.create", "model": "gpt-matrix", "input": MESSAGES}))
        parts, kind = [], ""
        while kind != "response.completed":
            event = json.loads(self.socket.recv(timeout=20))
            kind = event["type"]
            parts.append(event["delta"] if kind == "response.output_text.delta" else "")
        return text_only("".join(parts))

    responses_again = responses


SDKS = {
    "openai": OpenAi,
    "openai-async": OpenAiAsync,
    "anthropic": Anthropic,
    "ollama": Ollama,
    "groq": Groq,
    "together": Together,
    "litellm": LiteLlm,
    "mistralai": Mistral,
    "google-genai": Gemini,
    "boto3": Bedrock,
    "cohere": Cohere,
    "voyageai": Voyage,
    "httpx": Httpx,
    "httpx-async": HttpxAsync,
    "anthropic-async": AnthropicAsync,
    "xai-sdk": Xai,
    "google-grpc": GoogleGrpc,
    "vertex-grpc": VertexGrpc,
    "anthropic-bedrock": AnthropicBedrock,
    "anthropic-vertex": AnthropicVertex,
    "websockets": WebSocketResponses,
    **python_others.SDKS,
}


def main():
    sdk = SDKS[sys.argv[1]]
    for target in json.loads(os.environ["MATRIX"]):
        made = sdk(target["base"], target)
        for call in sdk.calls:
            try:
                told = getattr(made, call)()
            except Exception as error:
                told = {"error": f"{type(error).__name__}: {error}"[:500]}
            for one in told if isinstance(told, list) else [told]:
                print(json.dumps({"base": target["base"], "call": call, **one}), flush=True)
    os._exit(0)  # nothing that a library's threads would still send at the end


if __name__ == "__main__":
    main()
