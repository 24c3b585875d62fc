# SPDX-License-Identifier: Apache-2.0
"""The part of the table in cases.py for LangChain and OpenAI's Agents SDK. A call is given the provider's base URL.
Their trees of chains and agents exist in the process alone; what is compared are the model calls in them."""

import functools

import answers as a
from cases import NOT_TRACED, PARIS, REPR, case


def of(sdk):
    return lambda name, *script, **more: case(f"{sdk}_{name}", *script, sdk=sdk, **more)


ASKED = [("system", PARIS[0]["content"]), ("human", PARIS[1]["content"])]
CALLS = a.chat({"tool_calls": [a.call("get_weather", '{"city":"Paris"}')]}, finish="tool_calls")
SAYS = a.chat({"content": "Paris — ville lumière 漢字."})
LIMIT = a.openai_error(429, "requests", "Rate limit reached for gpt-4o-mini.")
WRONG_KEY = a.openai_error(401, "invalid_request_error", "Incorrect API key provided: sk-x.", "invalid_api_key")

# ---- LangChain with OpenAI ----
langchain = of("langchain")


def gpt(base, **more):
    from langchain_openai import ChatOpenAI

    return ChatOpenAI(model="gpt-4o-mini", base_url=base + "/v1", max_retries=0, **more)


def weather_tool():
    from langchain_core.tools import tool

    @tool
    def get_weather(city: str) -> str:
        """Current weather in a city."""
        return f"18 C in {city}"

    return get_weather


def run_agent(model):
    from langchain.agents import create_agent

    agent = create_agent(model, [weather_tool()], system_prompt="Be terse.")
    agent.invoke({"messages": [{"role": "user", "content": "Weather in Paris?"}]})


@langchain("invoke", SAYS)
def _(base):
    gpt(base, temperature=0.2).invoke(ASKED)


@langchain("stream", a.chat_stream(a.TEXT_DELTAS))
def _(base):
    for _ in gpt(base).stream(ASKED):
        pass


@langchain("tools", CALLS)
def _(base):
    gpt(base).bind_tools([weather_tool()]).invoke("Weather in Paris?")


@langchain("tools_stream", a.chat_stream(a.TOOL_DELTAS, finish="tool_calls"))
def _(base):
    for _ in gpt(base).bind_tools([weather_tool()]).stream("Weather in Paris?"):
        pass


@langchain("sequence", SAYS)
def _(base):
    from langchain_core.output_parsers import StrOutputParser
    from langchain_core.prompts import ChatPromptTemplate

    prompt = ChatPromptTemplate.from_messages([("system", "Be terse."), ("human", "Capital of {country}?")])
    (prompt | gpt(base) | StrOutputParser()).invoke({"country": "France"})


@langchain("agent_tool_loop", CALLS, a.chat({"content": "18 degrees."}), traces=2)
def _(base):
    run_agent(gpt(base))


@langchain("responses", a.body(a.response(a.output_text("Paris — ville lumière."))))
def _(base):
    gpt(base, use_responses_api=True).invoke(ASKED)


@langchain("embeddings", a.embeddings(2, as_base64=False), gap=NOT_TRACED)
def _(base):
    from langchain_openai import OpenAIEmbeddings

    model = OpenAIEmbeddings(model="text-embedding-3-small", base_url=base + "/v1", check_embedding_ctx_length=False)
    model.embed_documents(["hello", "world"])


@langchain("async", SAYS)
async def _(base):
    await gpt(base).ainvoke(ASKED)


@langchain("async_stream", a.chat_stream(a.TEXT_DELTAS))
async def _(base):
    async for _ in gpt(base).astream(ASKED):
        pass


@langchain("error_429", LIMIT)
def _(base):
    gpt(base).invoke(ASKED)


@langchain("error_401", WRONG_KEY)
def _(base):
    gpt(base).invoke(ASKED)


# ---- LangChain with Anthropic ----
langclaude = functools.partial(langchain, path="/messages")
USES = a.message(a.tool_use("get_weather", {"city": "Paris"}), stop="tool_use")


def claude(base):
    from langchain_anthropic import ChatAnthropic

    return ChatAnthropic(model="claude-sonnet-4-5", base_url=base, max_retries=0, max_tokens=100)


@langclaude("claude_invoke", a.message(a.text("Paris — ville lumière.")))
def _(base):
    claude(base).invoke(ASKED)


@langclaude("claude_stream", a.message_stream([(a.text(""), a.text_deltas("Par", "is — ", "ville."))]))
def _(base):
    for _ in claude(base).stream(ASKED):
        pass


@langclaude("claude_tools", USES)
def _(base):
    claude(base).bind_tools([weather_tool()]).invoke("Weather in Paris?")


@langclaude("claude_agent_tool_loop", USES, a.message(a.text("18 degrees."), number=2), traces=2)
def _(base):
    run_agent(claude(base))


@langclaude("claude_error_429", a.anthropic_error(429, "rate_limit_error", "Slow down."))
def _(base):
    claude(base).invoke(ASKED)


# ---- OpenAI's Agents SDK ----
agents = of("agents")


async def assist(base, chat=False, streamed=False):
    import agents as library
    import openai

    @library.function_tool
    def get_weather(city: str) -> str:
        """Current weather in a city."""
        return "18 C"

    client = openai.AsyncOpenAI(base_url=base + "/v1", max_retries=0)
    kind = library.OpenAIChatCompletionsModel if chat else library.OpenAIResponsesModel
    model = kind(model="gpt-4o-mini", openai_client=client)
    agent = library.Agent(name="Assistant", instructions="You are terse.", tools=[get_weather], model=model)
    try:
        if streamed:
            async for _ in library.Runner.run_streamed(agent, "Weather in Paris?").stream_events():
                pass
        else:
            await library.Runner.run(agent, "Weather in Paris?")
    finally:
        await client.close()


TOLD = {"instructions": "You are terse."}  # which the service repeats
FUNCTION_CALL = a.body(a.response(a.function_call("get_weather", '{"city":"Paris"}'), **TOLD))
SPOKEN = a.body(a.response(a.output_text("18 degrees."), number=2, **TOLD))


@agents("chat_tool_loop", CALLS, a.chat({"content": "18 degrees."}), traces=2)
async def _(base):
    await assist(base, chat=True)


@agents("responses_tool_loop", FUNCTION_CALL, SPOKEN, traces=2)
async def _(base):
    await assist(base)


@agents("responses_stream", a.responses_stream(["18 ", "degrees."], **TOLD), gap=REPR)
async def _(base):
    await assist(base, streamed=True)


@agents("chat_stream", a.chat_stream(a.TEXT_DELTAS))
async def _(base):
    await assist(base, chat=True, streamed=True)


@agents("error_429", LIMIT)
async def _(base):
    await assist(base)


@agents("chat_error_401", WRONG_KEY)
async def _(base):
    await assist(base, chat=True)
