# SPDX-License-Identifier: Apache-2.0
"""The SDKs of providers that mostly follow formats of others; python_sdks.py runs them."""

import asyncio
import json
import os

from python_common import MESSAGES, PROMPT, TOOLS, ChatCompletions, text_only, tools_of


class Cerebras(ChatCompletions):
    calls = ("chat", "stream", "tools")

    def __init__(self, base, target):
        from cerebras.cloud.sdk import Cerebras, DefaultHttpxClient

        http = DefaultHttpxClient(http2=True) if target["http2"] else None
        there = {"base_url": base, "http_client": http, "warm_tcp_connection": False}
        self.client = Cerebras(api_key="x", max_retries=0, **there)

    def create(self, **asked):
        return self.client.chat.completions.create(model="gpt-matrix", **asked)


class Perplexity(Cerebras):
    def __init__(self, base, target):
        from perplexity import DefaultHttpxClient, Perplexity

        http = DefaultHttpxClient(http2=True) if target["http2"] else None
        self.client = Perplexity(base_url=base, api_key="x", max_retries=0, http_client=http)


class OpenRouter(ChatCompletions):
    calls = ("chat", "stream", "tools")

    def __init__(self, base, target):
        import openrouter

        self.client = openrouter.OpenRouter(api_key="x", server_url=base + "/v1")

    def create(self, **asked):
        return self.client.chat.send(model="gpt-matrix", **asked)


class HuggingFace(ChatCompletions):
    calls = ("chat", "stream", "tools")

    def __init__(self, base, target):
        from huggingface_hub import InferenceClient

        self.client = InferenceClient(base_url=base + "/v1", api_key="x")

    def create(self, **asked):
        return self.client.chat.completions.create(model="gpt-matrix", **asked)


class Replicate:
    calls = ("predict",)

    def __init__(self, base, target):
        import replicate

        self.client = replicate.Client(api_token="x", base_url=base)

    def predict(self):
        return text_only("".join(self.client.run("meta/llama-matrix", input={"prompt": PROMPT})))


class Completions(ChatCompletions):
    """Those made by the generator of OpenAI's own, with the rest of OpenAI's API as far as they have it."""

    model = "gpt-matrix"
    calls = ("chat", "stream", "tools", "complete", "complete_stream")

    def create(self, **asked):
        return self.client.chat.completions.create(model=self.model, **asked)

    def complete(self):
        return text_only(self.client.completions.create(model=self.model, prompt=PROMPT).choices[0].text)

    def complete_stream(self):
        chunks = self.client.completions.create(model=self.model, prompt=PROMPT, stream=True)
        return text_only("".join(chunk.choices[0].text for chunk in chunks if chunk.choices))

    def embed(self):
        return {"vectors": len(self.client.embeddings.create(model="embed-matrix", input=[PROMPT, "two"]).data)}

    def respond(self):
        answer = self.client.responses.create(model=self.model, input=PROMPT)
        return text_only("".join(part.text for item in answer.output for part in item.content))

    def respond_stream(self):
        events = self.client.responses.create(model=self.model, input=PROMPT, stream=True)
        return text_only("".join(e.delta for e in events if e.type == "response.output_text.delta"))

    def claude(self):
        asked = {"model": "claude-matrix", "max_tokens": 100, "messages": MESSAGES}
        return text_only(self.client.messages.create(**asked).content[0].text)

    def claude_stream(self):
        asked = {"model": "claude-matrix", "max_tokens": 100, "messages": MESSAGES}
        events = self.client.messages.create(stream=True, **asked)
        return text_only("".join(e.delta.text for e in events if e.type == "content_block_delta"))


class Fireworks(Completions):
    calls = (*Completions.calls, "claude")

    def __init__(self, base, target):
        from fireworks import DefaultHttpxClient, Fireworks

        http = DefaultHttpxClient(http2=True) if target["http2"] else None
        self.client = Fireworks(base_url=base, api_key="x", account_id="a", max_retries=0, http_client=http)


class SambaNova(Completions):
    calls = (*Completions.calls, "embed", "respond", "respond_stream", "claude", "claude_stream")

    def __init__(self, base, target):
        from sambanova import DefaultHttpxClient, SambaNova

        http = DefaultHttpxClient(http2=True) if target["http2"] else None
        self.client = SambaNova(base_url=base + "/v1", api_key="x", max_retries=0, http_client=http)


class LlamaStack(Completions):
    """Its server ends its streams without a mark."""

    calls = (*Completions.calls, "embed", "respond", "respond_stream")

    def __init__(self, base, target):
        from llama_stack_client import DefaultHttpxClient, LlamaStackClient

        http = DefaultHttpxClient(http2=True) if target["http2"] else None
        there = {"base_url": base.replace("noise=1", "noise=1,mark=0"), "http_client": http}
        self.client = LlamaStackClient(api_key="x", max_retries=0, **there)


class Writer(Completions):
    model = "palmyra-matrix"

    def __init__(self, base, target):
        from writerai import DefaultHttpxClient, Writer

        http = DefaultHttpxClient(http2=True) if target["http2"] else None
        there = {"base_url": base.replace("noise=1", "noise=1,vendor=writer"), "http_client": http}
        self.client = Writer(api_key="x", max_retries=0, **there)

    def create(self, **asked):
        return self.client.chat.chat(model=self.model, **asked)

    def complete_stream(self):
        chunks = self.client.completions.create(model=self.model, prompt=PROMPT, stream=True)
        return text_only("".join(chunk.value for chunk in chunks))


class Ai21(ChatCompletions):
    calls = ("chat", "stream", "tools")

    def __init__(self, base, target):
        import httpx
        from ai21 import AI21Client

        http = httpx.Client(http2=True) if target["http2"] else None
        self.client = AI21Client(api_key="x", api_host=base, num_retries=1, http_client=http)

    def create(self, **asked):
        from ai21.models.chat import UserMessage

        asked["messages"] = [UserMessage(content=m["content"]) for m in asked["messages"]]
        return self.client.chat.completions.create(model="jamba-matrix", **asked)


class Portkey(Completions):
    calls = (*Completions.calls, "embed", "respond", "respond_stream")

    def __init__(self, base, target):
        import httpx
        from portkey_ai import Portkey

        http = httpx.Client(http2=True) if target["http2"] else None
        there = {"base_url": base + "/v1", "provider": "openai", "http_client": http}
        self.client = Portkey(api_key="x", Authorization="x", **there)


class Watsonx(ChatCompletions):
    """It takes no address without TLS, and asks for its server's version first."""

    calls = ("chat", "stream", "tools", "generate", "generate_stream", "embed", "rerank")

    def __init__(self, base, target):
        import httpx
        from ibm_watsonx_ai import APIClient, Credentials
        from ibm_watsonx_ai.foundation_models import ModelInference

        http = {"httpx_client": httpx.Client(http2=True)} if target["http2"] else {}
        there = Credentials(url=base, token="x", instance_id="openshift", version="5.2", verify=os.environ["SSL_CERT_FILE"])
        self.client = APIClient(there, scope_validation=False, project_id="p", **http)
        self.inference = ModelInference(model_id="ibm/granite-matrix", api_client=self.client, validate=False)

    def chat(self):
        return text_only(self.inference.chat(messages=MESSAGES)["choices"][0]["message"]["content"])

    def stream(self):
        chunks = self.inference.chat_stream(messages=MESSAGES)
        return text_only("".join(c["choices"][0]["delta"].get("content") or "" for c in chunks if c["choices"]))

    def tools(self):
        asked = self.inference.chat(messages=MESSAGES, tools=TOOLS)["choices"][0]["message"]["tool_calls"]
        return {"tools": [[c["function"]["name"], json.loads(c["function"]["arguments"])] for c in asked]}

    def generate(self):
        return text_only(self.inference.generate(prompt=PROMPT)["results"][0]["generated_text"])

    def generate_stream(self):
        return text_only("".join(self.inference.generate_text_stream(prompt=PROMPT)))

    def embed(self):
        from ibm_watsonx_ai.foundation_models import Embeddings

        made = Embeddings(model_id="ibm/embed-matrix", api_client=self.client)
        return {"vectors": len(made.embed_documents(texts=[PROMPT, "two"]))}

    def rerank(self):
        from ibm_watsonx_ai.foundation_models import Rerank

        made = Rerank(model_id="ibm/rerank-matrix", api_client=self.client)
        return {"vectors": len(made.generate(query=PROMPT, inputs=["a", "b", "c"])["results"])}


class AzureInference(ChatCompletions):
    """Azure AI Inference: one model an endpoint, or the one that the request names."""

    calls = ("chat", "stream", "tools", "embed")

    def __init__(self, base, target):
        from azure.ai.inference import ChatCompletionsClient, EmbeddingsClient
        from azure.core.credentials import AzureKeyCredential

        there = {"endpoint": base + "/models", "credential": AzureKeyCredential("x"), "retry_total": 0}
        self.client, self.vectors = ChatCompletionsClient(**there), EmbeddingsClient(**there)

    def create(self, **asked):
        return self.client.complete(model="gpt-matrix", **asked)

    def embed(self):
        return {"vectors": len(self.vectors.embed(model="embed-matrix", input=[PROMPT, "two"]).data)}


class DashScope:
    """Alibaba's own format. Its SDK keeps no client: where it asks is said once for all."""

    calls = ("chat", "prompt", "stream", "stream_pieces", "stream_merged", "think", "tools", "stream_tools")
    calls += ("see", "stream_seen", "embed", "rerank", "app", "stream_app")
    asked = {"model": "qwen-matrix", "messages": MESSAGES, "result_format": "message"}
    seen = [{"role": "user", "content": [{"image": "https://localhost/x.png"}, {"text": PROMPT}]}]

    def __init__(self, base, target):
        import dashscope

        self.sdk, dashscope.api_key, dashscope.base_http_api_url = dashscope, "x", base + "/api/v1"

    @staticmethod
    def said(answer):
        content = answer.output.choices[0].message.content
        return content if isinstance(content, str) else "".join(block["text"] for block in content)

    def chat(self):
        return text_only(self.said(self.sdk.Generation.call(**self.asked)))

    def prompt(self):
        return text_only(self.sdk.Generation.call(model="qwen-matrix", prompt=PROMPT).output.text)

    def stream(self):
        return text_only([self.said(event) for event in self.sdk.Generation.call(stream=True, **self.asked)][-1])

    def stream_pieces(self):
        events = self.sdk.Generation.call(stream=True, incremental_output=True, **self.asked)
        return text_only("".join(self.said(event) for event in events))

    def stream_merged(self):
        """It asks for pieces, and shows them as though they grew."""
        events = self.sdk.Generation.call(stream=True, incremental_output=False, **self.asked)
        return text_only([self.said(event) for event in events][-1])

    def think(self):
        events = self.sdk.Generation.call(stream=True, enable_thinking=True, **self.asked)
        return text_only([self.said(event) for event in events][-1])

    def tools(self):
        return self.called(self.sdk.Generation.call(tools=TOOLS, **self.asked))

    def stream_tools(self):
        return self.called(list(self.sdk.Generation.call(stream=True, tools=TOOLS, **self.asked))[-1])

    def see(self):
        return text_only(self.said(self.sdk.MultiModalConversation.call(model="qwen-vl-matrix", messages=self.seen)))

    def stream_seen(self):
        how = {"model": "qwen-vl-matrix", "messages": self.seen, "stream": True, "incremental_output": True}
        return text_only("".join(self.said(event) for event in self.sdk.MultiModalConversation.call(**how)))

    def embed(self):
        answer = self.sdk.TextEmbedding.call(model="text-embedding-matrix", input=[PROMPT, "two"])
        return {"vectors": len(answer.output["embeddings"])}

    def rerank(self):
        answer = self.sdk.TextReRank.call(model="gte-rerank-matrix", query=PROMPT, documents=["a", "b", "c"])
        return {"vectors": len(answer.output.results)}

    def app(self):
        return text_only(self.sdk.Application.call(app_id="a-matrix", prompt=PROMPT).output.text)

    def stream_app(self):
        events = self.sdk.Application.call(app_id="a-matrix", prompt=PROMPT, stream=True, incremental_output=True)
        return text_only("".join(event.output.text for event in events))

    @staticmethod
    def called(answer):
        asked = answer.output.choices[0].message.tool_calls
        return {"tools": [[c["function"]["name"], json.loads(c["function"]["arguments"])] for c in asked]}


class DashScopeAsync(DashScope):
    """Its own sessions trust the authorities that it brings along."""

    calls = ("chat", "stream", "stream_pieces")

    def chat(self):
        return text_only(asyncio.run(self.each())[-1])

    def stream(self):
        return text_only(asyncio.run(self.each(stream=True))[-1])

    def stream_pieces(self):
        return text_only("".join(asyncio.run(self.each(stream=True, incremental_output=True))))

    async def each(self, **more):
        import aiohttp

        async with aiohttp.ClientSession() as session:
            answer = await self.sdk.AioGeneration.call(session=session, **self.asked, **more)
            return [self.said(event) async for event in answer] if more else [self.said(answer)]


SDKS = {
    "dashscope": DashScope,
    "dashscope-async": DashScopeAsync,
    "azure-inference": AzureInference,
    "cerebras": Cerebras,
    "perplexity": Perplexity,
    "openrouter": OpenRouter,
    "huggingface": HuggingFace,
    "replicate": Replicate,
    "fireworks": Fireworks,
    "sambanova": SambaNova,
    "llama-stack": LlamaStack,
    "writer": Writer,
    "ai21": Ai21,
    "portkey": Portkey,
    "watsonx": Watsonx,
}
