# SPDX-License-Identifier: Apache-2.0
"""The part of allowed.py for libraries and frameworks. A case compared by what its messages mean
(harness/wire_frameworks.py) has ".meaning" behind its name."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness.compare import Rule  # noqa: E402

ATTRIBUTES = r"spans/\d+/attributes/"
INPUTS, OUTPUTS = ATTRIBUTES + r"mlflow\.spanInputs", ATTRIBUTES + r"mlflow\.spanOutputs"
NAME = r"(spans/\d+/name|info/tags/mlflow\.traceName)"
EXCEPTION = r"spans/\d+/events/\d+/attributes/exception\."
USAGE = r"(spans/\d+/attributes/mlflow\.chat|info/trace_metadata/mlflow\.trace)\.tokenUsage/"
COST = r"(spans/\d+/attributes/mlflow\.llm|info/trace_metadata/mlflow\.trace)\.cost/"
ARGUMENTS = (
    r"(model|stream|stream_options|temperature|top_p|max_tokens|max_completion_tokens|seed|random_seed|stop|user|"
    r"presence_penalty|tools|tool_choice)(/.*)?"
)
BARE = "arguments under their bare names, as autolog of OpenAI has them"


def rules(cases, *rows):
    """Rows are (path, kind, reason[, when])."""
    return [Rule(path, kind, reason, when=when[0] if when else None, cases=cases) for path, kind, reason, *when in rows]


MISTRAL = rules(
    r"mistral_.*",
    (NAME, "differs", "named by the method; the wire has the endpoint, which many vendors share", r"Chat\.complete"),
    (
        ATTRIBUTES + r"mlflow\.message\.format",
        "differs",
        "its messages are OpenAI's, which MLflow knows by that name",
        "mistral",
    ),
    (INPUTS + "/stream", "extra", "the SDK says stream:false by itself"),
    (ATTRIBUTES + ARGUMENTS, "extra", BARE),
    (INPUTS + r"/messages/\d+/(prefix|tool_calls/\d+/index)", "extra", "defaults that the SDK puts into the body"),
    (
        rf"({OUTPUTS}|info/response_preview)/choices/\d+/message/(prefix|tool_calls/\d+/index)",
        "missing",
        "defaults of the SDK's objects, which were not on the wire",
        r"False|0",
    ),
    (EXCEPTION + "type", "differs", "one error class for all of the SDK's refusals; ours says which", "SDKError"),
    (EXCEPTION + "message", "differs", "a sentence of the SDK around the body", r"API error occurred: Status \d+"),
    (r"spans/\d+/status/message", "differs", "a sentence of the SDK around the body", r"SDKError: API error occurred"),
)

GROQ = rules(
    r"groq_.*",
    (
        ATTRIBUTES + r"mlflow\.llm\.provider",
        "differs",
        "the host's name tells the provider, and here it is not Groq's",
        "groq",
    ),
    (ATTRIBUTES + r"mlflow\.message\.format", "differs", "a name that MLflow's page does not know", "groq"),
    (ATTRIBUTES + ARGUMENTS, "extra", BARE),
    (
        r"spans/\d+/status/message",
        "differs",
        "the exception's words a second time, as autolog of OpenAI does not have them",
        r"\w+Error: Error code: \d+",
    ),
) + rules(
    r"groq_stream",
    (
        r"spans/\d+/events/\d+/(name|attributes/mlflow\.chunk\.value(/.*)?)",
        "extra",
        "autolog's span ends before the first chunk",
    ),
)

# Its own logger makes the span, from its own objects; what goes over the wire is OpenAI's SDK's or its own client's.
LITELLM = (
    rules(
        r"litellm_.*",
        (NAME, "differs", "named by the library, not by what was called", r"litellm-a?completion"),
        (ATTRIBUTES + r"mlflow\.spanType", "differs", "LiteLLM calls a chat LLM", "LLM"),
        (ATTRIBUTES + r"mlflow\.message\.format", "extra", "LiteLLM names no format"),
        (
            ATTRIBUTES + r"(api_base|cache_hit|call_type|litellm_call_id|raw_llm_response|request_tags|response_cost|"
            r"saved_cache_cost)(/.*)?",
            "missing",
            "LiteLLM's own bookkeeping, in process",
        ),
        (
            rf"{INPUTS}/(model|max_tokens|temperature|top_p|seed|stop|stream_options)(/.*)?",
            "extra",
            "LiteLLM keeps five arguments, the wire has all",
        ),
        (ATTRIBUTES + ARGUMENTS, "extra", BARE),
        (
            rf"({OUTPUTS}|info/response_preview)/choices/\d+/(message/)?provider_specific_fields(/.*)?",
            "missing",
            "where LiteLLM moves what it has no field for; empty, or the refusal that is in place on the wire",
            r"\{\}|\{'refusal': None\}|None",
        ),
        (
            ATTRIBUTES + r"mlflow\.chat\.tools",
            "extra",
            "LiteLLM hands its tools to an attribute and loses them on the way",
        ),
        (
            USAGE + r"cache_(read|creation)_input_tokens(_above_1hr)?",
            "extra",
            "LiteLLM keeps it inside its usage only",
        ),
        (COST + r"(input|total)_cost", "differs", "it follows that what was read from the cache is paid in full"),
    )
    + rules(
        r"litellm_(.*_)?stream.*|litellm_.*_stream|litellm_completion_stream",
        (r"spans/\d+/events/\d+/(name|attributes/mlflow\.chunk\.value(/.*)?)", "extra", "LiteLLM keeps no chunks"),
        (rf"({OUTPUTS}|info/response_preview)/created", "differs", "the time at which LiteLLM put the chunks together"),
        (
            rf"({OUTPUTS}/model|info/response_preview/model|{ATTRIBUTES}mlflow\.llm\.model)",
            "differs",
            "LiteLLM puts the model asked for in place of the one that answered",
        ),
        (
            rf"({OUTPUTS}|info/response_preview)/service_tier",
            "missing",
            "autolog of OpenAI leaves it out of a stream, and so do we",
        ),
        (rf"({OUTPUTS}|info/response_preview)/usage/cost", "missing", "LiteLLM's own price"),
        (
            rf"({OUTPUTS}|info/response_preview)/choices/\d+/message/content",
            "missing",
            "a text that was never sent",
            "",
        ),
    )
    + rules(  # recorded without stream_options: autolog has zeros, which gold calls the gap
        r"litellm_(completion_stream|error_.*|claude_error_.*)",
        (USAGE + r"(input|output|total)_tokens", "missing", "zero where nothing was told", "0"),
        (OUTPUTS + r"/usage/.*", "missing", "zero where nothing was told", "0"),
        (COST + r"(input|output|total)_cost", "missing", "zero where nothing was told", r"0\.0"),
    )
    + rules(
        r"litellm_(claude_)?error.*",
        (
            EXCEPTION + "message",
            "differs",
            "LiteLLM's sentence around the provider's",
            r"litellm\.\w+Error: (\w+Error: )?\w+Exception - ",
        ),
        (ATTRIBUTES + r"mlflow\.llm\.model", "extra", "the model asked for, of a call that failed"),
    )
    + rules(
        r"litellm_claude_.*\.meaning",
        (ATTRIBUTES + "model", "missing", "autolog of Anthropic has it in the inputs alone", "claude-sonnet-4-5"),
        (
            ATTRIBUTES + r"mlflow\.llm\.model",
            "differs",
            "the model that answered; ours is the one asked for, as autolog of Anthropic has it",
            r"claude-sonnet-4-5-20250929",
        ),
        (
            r"spans/\d+/status/message",
            "differs",
            "the exception's words a second time, as autolog of Anthropic has them",
            r"$",
        ),
    )
)

# Spans of a framework, compared with ours by what they mean.
FRAMEWORKS = (
    rules(
        r".*\.meaning",
        (
            r"spans/\d+/name",
            "differs",
            "named by the framework's class",
            r"ChatOpenAI|ChatAnthropic|Generation|Response",
        ),
        (
            ATTRIBUTES + r"mlflow\.message\.format",
            "differs",
            "messages in the framework's own form",
            "langchain|openai-agent",
        ),
        (ATTRIBUTES + r"(include|instructions|" + ARGUMENTS[1:], "extra", BARE),
        (
            USAGE + r"cache_creation_input_tokens(_above_1hr)?",
            "extra",
            "the framework keeps fewer counts",
        ),
        (
            ATTRIBUTES + r"mlflow\.llm\.model",
            "differs",
            "the model asked for; ours is the one that answered, as autolog of OpenAI has it",
            r"gpt-4o-mini",
        ),
    )
    + rules(
        r"langchain_.*",
        (
            ATTRIBUTES + r"(batch_size|invocation_params|metadata|options)(/.*)?",
            "missing",
            "LangChain's own bookkeeping, in process",
        ),
        (
            EXCEPTION + "type",
            "differs",
            "a subclass of LangChain's; the SDK's is on the wire",
            r"(OpenAI|Anthropic)\w+Error",
        ),
        (
            r"spans/\d+/status/message",
            "differs",
            "LangChain repeats the exception's words; ours follows the autolog of the SDK below",
            r"Error code: \d+ - ",
        ),
    )
    + rules(
        r"langchain_.*stream.*",
        (
            r"spans/\d+/events/\d+/(name|attributes/(token|chunk|mlflow\.chunk\.value)(/.*)?)",
            "any",
            "an event for each token as LangChain cut them; ours are the chunks of the wire",
        ),
    )
    + rules(
        r"langchain_claude_.*",
        (
            ATTRIBUTES + r"mlflow\.chat\.tools/\d+/function/parameters/.*",
            "extra",
            "LangChain keeps the names of tools that are not in OpenAI's form, and no more",
        ),
    )
    + rules(
        r"langchain_claude_stream.*",
        (
            rf"{USAGE}(input_tokens|total_tokens|cache_read_input_tokens)|{COST}(input|total)_cost",
            "any",
            "LangChain loses the prompt's tokens of a stream that tells them at its beginning",
        ),
    )
    + rules(
        r"agents_.*\.meaning",
        (ATTRIBUTES + r"model_config(/.*)?", "missing", "the Agents SDK's own bookkeeping, in process"),
        (
            ATTRIBUTES + r"(background|completed_at|created_at|id|metadata|object|parallel_tool_calls|reasoning|status|"
            r"store|temperature|text|tool_choice|top_p|truncation|usage)(/.*)?",
            "missing",
            "the answer's members under bare names; ours are in the outputs, which are compared one span below",
        ),
        (
            ATTRIBUTES + "model",
            "differs",
            "the answer's model in the request's place",
            r"gpt-4[-.\w]*-20\d\d-\d\d-\d\d",
        ),
        (ATTRIBUTES + r"mlflow\.llm\.model", "extra", "autolog has it one span below"),
        (ATTRIBUTES + r"mlflow\.chat\.tools", "extra", "autolog has it one span below"),
        (rf"({USAGE}|{COST}).*", "extra", "autolog has it one span below"),
        (USAGE + "cache_creation_input_tokens", "missing", "zero where nothing was told", "0"),
    )
    + rules(
        r"agents_.*stream.*",
        (
            r"spans/\d+/events/\d+/(name|attributes/mlflow\.chunk\.value(/.*)?)",
            "extra",
            "the Agents SDK reads the chunks behind autolog's back",
        ),
    )
    + rules(
        r"agents_.*error.*\.meaning",
        (INPUTS + r"/messages/.*", "extra", "the Agents SDK tells what was asked once it was answered"),
        (
            EXCEPTION + r"message|spans/\d+/status/message",
            "differs",
            "one sentence for every failure",
            "Error getting response",
        ),
        (EXCEPTION + "type", "differs", "none for any failure", r"$"),
    )
    + rules(
        r"agents_.*error.*",
        (ATTRIBUTES + r"mlflow\.chat\.tools", "extra", "autolog reads the tools of calls that succeed"),
    )
)
