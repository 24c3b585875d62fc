# SPDX-License-Identifier: Apache-2.0
"""What may differ between a trace of autolog (or of gold) and ours, and why. Nothing else may.

Paths are those of harness/compare.py: info/…, spans/<n>/…; "extra": only ours has it, "missing": only autolog does.
"""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from allowed_libraries import FRAMEWORKS, GROQ, LITELLM, MISTRAL  # noqa: E402
from harness.compare import Rule  # noqa: E402

INPUTS = r"spans/\d+/attributes/mlflow\.spanInputs"
OUTPUTS = r"spans/\d+/attributes/mlflow\.spanOutputs"

VOLATILE = [
    Rule(
        r"info/(trace_id|client_request_id|request_time|execution_duration|trace_location(/.*)?)",
        "any",
        "ids and times",
    ),
    Rule(
        r"spans/\d+/(trace_id|span_id|parent_span_id|start_time_unix_nano|end_time_unix_nano)",
        "any",
        "ids and times; the tree is compared as parent numbers",
    ),
    Rule(r"spans/\d+/events/\d+/time_unix_nano", "any", "times"),
    Rule(
        r"spans/\d+/attributes/mlflow\.(traceRequestId|experimentId|spanStartTimeNs)",
        "any",
        "the server's own copy of an id",
    ),
    Rule(r"info/tags/mlflow\.(artifactLocation|trace\.spansLocation)", "any", "the server's own places"),
    Rule(
        r"info/trace_metadata/mlflow\.trace\.(sizeStats(/(max|p\d+|total_size_bytes))?|sizeBytes|infoFinalized)",
        "any",
        "sizes in bytes, of a trace with other ids and more attributes",
    ),
    Rule(
        r"info/trace_metadata/mlflow\.trace_schema\.version", "missing", "set by StartTraceV3 alone, nothing reads it"
    ),
    Rule(
        r"info/trace_metadata/mlflow\.trace(Inputs|Outputs)",
        "any",
        "first characters of Python's rendering; the whole values are compared as mlflow.spanInputs and spanOutputs",
    ),
    Rule(
        r"info/trace_metadata/mlflow\.source\.git\..*",
        "missing",
        "git state of the application's folder, read in process",
    ),
    Rule(
        r"info/trace_metadata/mlflow\.(user|source\.name|source\.type)",
        "any",
        "the process that made the trace; for a bulk delivery by OTLP the server cannot take it",
    ),
    Rule(
        r"spans/\d+/events/\d+/attributes/exception\.stacktrace(/.*)?", "any", "a Python stack exists only in process"
    ),
]

EXTRAS = [
    Rule(
        r"spans/\d+/attributes/(spantap|gen_ai|http|server|client|network|url|error|process|thread|linux|container|"
        r"host|service|"
        r"openai|anthropic|aws|azure|user_agent)\..*",
        "extra",
        "what only the wire and the kernel can tell",
    ),
    Rule(r"spans/\d+/attributes/mlflow\.(trace[tT]ag\..*|trace\.tokenUsage)", "extra", "how trace tags travel by OTLP"),
    Rule(r"spans/\d+/attributes/(session|user)\.id", "extra", "the wire named it"),
    Rule(r"info/trace_metadata/mlflow\.trace\.(session|user)", "extra", "the wire named it"),
    Rule(r"spans/\d+/attributes/mlflow\.llm\.provider", "extra", "autolog of OpenAI names no provider, the wire does"),
    Rule(
        r"spans/\d+/attributes/mlflow\.chat\.messages(/.*)?",
        "extra",
        "for the UI, where its own parser is narrower than the payload",
    ),
    Rule(
        r"info/tags/(service|host|container|k8s|process|os|telemetry)\..*", "extra", "resource attributes: where it ran"
    ),
    Rule(r"spans/\d+/(kind|flags|trace_state|links(/.*)?)", "any", "not kept by the server"),
]

IN_PROCESS = [
    Rule(
        INPUTS + r"/(timeout|extra_headers|extra_query)(/.*)?",
        "missing",
        "arguments of the SDK that are not in the body",
    ),
    Rule(
        r"spans/\d+/attributes/(timeout|extra_headers|extra_query)(/.*)?",
        "missing",
        "arguments of the SDK that are not in the body",
    ),
    Rule(
        rf"({INPUTS}|spans/\d+/attributes)/(response_format|text_format)",
        "any",
        "given as a Python class: autolog has its repr, the wire its JSON schema",
        when=r"<class ",
    ),
    Rule(
        rf"({INPUTS}|spans/\d+/attributes)/(text_format|response_format)",
        "missing",
        'given as a Python class: the wire has its JSON schema under "text"',
        when=r"<class ",
    ),
    Rule(
        rf"({INPUTS}|spans/\d+/attributes)/(text|stream)(/.*)?",
        "extra",
        "parse(): the SDK turns the class into a schema and says stream:false",
        cases=r".*(parse|structured).*",
    ),
    Rule(OUTPUTS + r"/(.*/)?parsed(/.*)?", "missing", "the SDK's parsed object, made from the text in process"),
    Rule(
        INPUTS + r"/.*",
        "differs",
        "base64 media: autolog stores it as an attachment, the wire has it in place",
        when=r"mlflow-attachment://",
    ),
]

USAGE = [
    Rule(
        r"(spans/\d+/attributes/mlflow\.llm|info/trace_metadata/mlflow\.trace)\.cost/(input|total)_cost",
        "differs",
        "a search of the web is billed by the piece; autolog's price list leaves it out",
        cases=r".*web_search.*",
    ),
    Rule(
        r"(spans/\d+/attributes/mlflow\.chat|info/trace_metadata/mlflow\.trace)\.tokenUsage/cache_creation_.*",
        "extra",
        "tokens written to the cache, which autolog of OpenAI drops (cache_write_tokens of the Responses API)",
        cases=r".*responses.*",
    ),
    Rule(
        r"info/trace_metadata/mlflow\.trace\.sizeStats/num_spans",
        "differs",
        "the attempts below the logical call are spans too; the logical call alone is compared",
        cases=r".*(then_ok|exhausted).*",
    ),
]

EMBEDDINGS = [
    Rule(
        rf"({INPUTS}|spans/\d+/attributes)/encoding_format",
        "extra",
        "the SDK asks for base64 by itself",
        cases=r".*embeddings.*",
    ),
    Rule(
        OUTPUTS + r"/data/\d+/embedding",
        "differs",
        "asked as base64 by the application itself: autolog has the text, ours the numbers",
        cases=r"embeddings_base64",
    ),
    Rule(
        r"info/request_preview/encoding_format", "extra", "the SDK asks for base64 by itself", cases=r".*embeddings.*"
    ),
    Rule(
        r"spans/\d+/attributes/mlflow\.(chat\.tokenUsage|llm\.cost)(/.*)?",
        "extra",
        "autolog keeps no usage here, the wire has it",
        cases=r".*(embeddings|completions_legacy|legacy).*",
    ),
    Rule(
        r"info/trace_metadata/mlflow\.trace\.(tokenUsage|cost)(/.*)?",
        "extra",
        "autolog keeps no usage here, the wire has it",
        cases=r".*(embeddings|completions_legacy|legacy).*",
    ),
]

GAPS = {  # what autolog loses in a case, so that ours is held against the wire instead (harness/wire.py)
    "outputs": [
        Rule(OUTPUTS + r"(/.*)?", "any", "autolog loses or garbles the outputs here; ours are compared with the wire"),
        Rule(r"info/response_preview(/.*)?", "any", "follows from the outputs"),
        Rule(
            r"spans/\d+/attributes/mlflow\.(chat\.tokenUsage|llm\.cost)(/.*)?", "extra", "autolog loses the usage here"
        ),
        Rule(r"info/trace_metadata/mlflow\.trace\.(tokenUsage|cost)(/.*)?", "extra", "autolog loses the usage here"),
    ],
    "model": [Rule(r"spans/\d+/attributes/mlflow\.llm\.model", "any", "autolog loses the model of the answer here")],
    "status": [
        Rule(
            r"(info/state|spans/\d+/status/.*|spans/\d+/attributes/mlflow\.spanLogLevel)",
            "any",
            "autolog calls a failed stream OK",
        ),
        Rule(r"spans/\d+/events/.*", "extra", "autolog has no exception event for a failed stream"),
    ],
    "omit": [
        Rule(
            rf"({INPUTS}|spans/\d+/attributes)/.*",
            "missing",
            "unset arguments, recorded by their Python repr",
            when=r"<(openai|anthropic)\..*|.*Omit.*|.*NotGiven.*",
        )
    ],
}

GAPS["google"] = [
    Rule(
        rf"({INPUTS}|{OUTPUTS})(/.*)?",
        "any",
        "autolog has the SDK's objects (snake case, config, SDK's own answer), ours the bodies; both are compared with "
        "the wire",
    ),
    Rule(
        r"spans/\d+/attributes/mlflow\.chat\.tokenUsage/output_tokens",
        "any",
        "thoughts are output that is paid for: autolog leaves them out, and all output where it is only thoughts or none",
    ),
    Rule(r"spans/\d+/attributes/mlflow\.llm\.cost(/.*)?", "any", "follows from the tokens of thoughts"),
]

PREVIEWS = [
    Rule(
        r"info/(request|response)_preview(/.*)?",
        "differs",
        "cut JSON text: Python's key order, nulls and spacing decide where it is cut",
        when=r"[{\[].*",
    ),
    Rule(
        r"info/(request|response)_preview/.*",
        "any",
        "follows from the differences allowed in inputs and outputs",
        cases=r".*(embeddings|parse|structured|extra_body|image).*",
    ),
]

BEDROCK = [
    Rule(INPUTS + "/modelId", "missing", "in the path, not in the body", cases=r"bedrock_.*"),
    Rule(
        INPUTS + "(/.*)?",
        "any",
        "invoke_model: autolog keeps the body as text beside the model; ours is the body",
        cases=r"bedrock_invoke.*",
    ),
    Rule(
        OUTPUTS + r"/(ResponseMetadata|contentType)(/.*)?",
        "missing",
        "boto3's view of the answer's head",
        cases=r"bedrock_.*",
    ),
    Rule(
        OUTPUTS + "(/.*)?",
        "any",
        "invoke_model: autolog wraps the body in boto3's answer, and loses a streamed one; ours is the body",
        cases=r"bedrock_invoke.*",
    ),
    Rule(
        OUTPUTS + r"/usage/cache(Read|Write)InputTokenCount",
        "extra",
        "boto3 drops members that its model of the service does not know",
        cases=r"bedrock_.*",
    ),
    Rule(
        r"spans/\d+/attributes/mlflow\.llm\.provider",
        "differs",
        "autolog takes what stands before the model id's first dot, a region or a vendor; Bedrock is who answers",
        cases=r"bedrock_.*",
    ),
    Rule(
        r"spans/\d+/events/\d+/attributes/(exception\.message|exception\.type)|spans/\d+/status/message",
        "differs",
        "boto3 wraps the provider's message into a sentence of its own",
        when=r".*An error occurred \(",
        cases=r"bedrock_.*",
    ),
    Rule(
        r"spans/\d+/attributes/mlflow\.(chat\.tokenUsage|llm\.cost)(/.*)?"
        r"|info/trace_metadata/mlflow\.trace\.(tokenUsage|cost)(/.*)?",
        "extra",
        "autolog keeps no usage of embeddings, the wire has it",
        cases=r"bedrock_.*embedding.*",
    ),
    Rule(
        r"info/(request|response)_preview(/.*)?",
        "any",
        "follows from the differences allowed in inputs and outputs",
        cases=r"bedrock_.*",
    ),
]

RULES = VOLATILE + EXTRAS + IN_PROCESS + USAGE + EMBEDDINGS + PREVIEWS + BEDROCK + MISTRAL + GROQ + LITELLM + FRAMEWORKS


def table():
    """For the report: every reason once."""
    return sorted({rule.reason for rule in RULES})
