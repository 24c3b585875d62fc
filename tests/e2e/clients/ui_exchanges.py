# SPDX-License-Identifier: Apache-2.0
"""One exchange of each family of dialects for the pages: what is asked, what is answered, in the shape of the services."""

import json

SYSTEM, QUESTION, ANSWER = "Be terse indeed.", "Weather in Paris, please?", "Eighteen degrees there."
CITY = {"city": "Paris-sur-Seine"}
SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = {"name": "get_weather", "description": "Current weather", "parameters": SCHEMA}
FUNCTION = {"type": "function", "function": TOOL}
CALL = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": json.dumps(CITY)}}
USER = {"role": "user", "content": QUESTION}
CHAT = [{"role": "system", "content": SYSTEM}, USER]
DOCUMENTS = ["The Seine flows through Paris.", "Berlin lies on the Spree."]


def chat_answer(message, model, finish="stop"):
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    usage = {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}
    return {"id": "c1", "object": "chat.completion", "created": 1, "model": model, "choices": [choice], "usage": usage}


OPENAI = (
    "/v1/chat/completions",
    {"model": "gpt-4o-mini", "messages": CHAT, "tools": [FUNCTION]},
    chat_answer({"content": ANSWER, "tool_calls": [CALL]}, "gpt-4o-mini"),
)

RESPONSES = (
    "/v1/responses",
    {"model": "gpt-4o-mini", "instructions": SYSTEM, "input": [USER], "tools": [{"type": "function", **TOOL}]},
    {
        "id": "resp_1",
        "object": "response",
        "created_at": 1,
        "status": "completed",
        "model": "gpt-4o-mini",
        "output": [
            {
                "id": "msg_1",
                "type": "message",
                "status": "completed",
                "role": "assistant",
                "content": [{"type": "output_text", "annotations": [], "text": ANSWER}],
            },
            {
                "id": "fc_1",
                "type": "function_call",
                "status": "completed",
                "call_id": "call_1",
                "name": "get_weather",
                "arguments": json.dumps(CITY),
            },
        ],
        "usage": {"input_tokens": 11, "output_tokens": 7, "total_tokens": 18},
    },
)

# A server's own search is what the page cannot read in place.
RESPONSES_SEARCH = (
    RESPONSES[0],
    {**RESPONSES[1], "tools": [{"type": "web_search"}]},
    {
        **RESPONSES[2],
        "output": [
            {
                "id": "ws_1",
                "type": "web_search_call",
                "status": "completed",
                "action": {"type": "search", "query": "x"},
            },
            *RESPONSES[2]["output"],
        ],
    },
)

ANTHROPIC = (
    "/v1/messages",
    {
        "model": "claude-sonnet-4-5",
        "max_tokens": 100,
        "system": SYSTEM,
        "messages": [USER],
        "tools": [{"name": "get_weather", "description": "Current weather", "input_schema": SCHEMA}],
    },
    {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "claude-sonnet-4-5",
        "content": [
            {"type": "text", "text": ANSWER},
            {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": CITY},
        ],
        "stop_reason": "tool_use",
        "usage": {"input_tokens": 11, "output_tokens": 7},
    },
)

GEMINI = (
    "/v1beta/models/gemini-2.5-flash:generateContent",
    {
        "systemInstruction": {"parts": [{"text": SYSTEM}]},
        "contents": [{"role": "user", "parts": [{"text": QUESTION}]}],
        "tools": [{"functionDeclarations": [TOOL]}],
    },
    {
        "candidates": [
            {
                "content": {
                    "role": "model",
                    "parts": [{"text": ANSWER}, {"functionCall": {"name": "get_weather", "args": CITY}}],
                },
                "finishReason": "STOP",
                "index": 0,
            }
        ],
        "usageMetadata": {"promptTokenCount": 11, "candidatesTokenCount": 7, "totalTokenCount": 18},
        "modelVersion": "gemini-2.5-flash",
    },
)

BEDROCK = (
    "/model/anthropic.claude-3-5-sonnet-20240620-v1%3A0/converse",
    {"system": [{"text": SYSTEM}], "messages": [{"role": "user", "content": [{"text": QUESTION}]}]},
    {
        "metrics": {"latencyMs": 4},
        "output": {
            "message": {
                "role": "assistant",
                "content": [
                    {"text": ANSWER},
                    {"toolUse": {"toolUseId": "tooluse_1", "name": "get_weather", "input": CITY}},
                ],
            }
        },
        "stopReason": "tool_use",
        "usage": {"inputTokens": 11, "outputTokens": 7, "totalTokens": 18},
    },
)

COHERE = (
    "/v2/chat",
    {"model": "command-a-03-2025", "messages": CHAT, "tools": [FUNCTION], "stream": False},
    {
        "id": "co1",
        "finish_reason": "TOOL_CALL",
        "message": {"role": "assistant", "content": [{"type": "text", "text": ANSWER}], "tool_calls": [CALL]},
        "usage": {"tokens": {"input_tokens": 11, "output_tokens": 7}},
    },
)

# What is asked stands one level deeper than elsewhere, and so does the answer.
DASHSCOPE = (
    "/api/v1/services/aigc/multimodal-generation/generation",
    {
        "model": "qwen3-vl-plus",
        "parameters": {"result_format": "message", "tools": [FUNCTION]},
        "input": {"messages": [CHAT[0], {"role": "user", "content": [{"text": QUESTION}]}]},
    },
    {
        "output": {
            "choices": [
                {
                    "finish_reason": "tool_calls",
                    "message": {"role": "assistant", "content": [{"text": ANSWER}], "tool_calls": [CALL]},
                }
            ]
        },
        "usage": {"input_tokens": 11, "output_tokens": 7, "total_tokens": 18},
        "request_id": "ds-1",
    },
)

DASHSCOPE_RERANK = (
    "/api/v1/services/rerank/text-rerank/text-rerank",
    {"model": "gte-rerank-v2", "parameters": {}, "input": {"query": "rivers", "documents": DOCUMENTS}},
    {
        "output": {"results": [{"index": 0, "relevance_score": 0.9}, {"index": 1, "relevance_score": 0.1}]},
        "usage": {"total_tokens": 26},
        "request_id": "ds-2",
    },
)

MISTRAL = (
    "/v1/chat/completions",
    {"model": "magistral-small-latest", "messages": CHAT, "tools": [FUNCTION], "random_seed": 3},
    chat_answer(
        {
            "content": [
                {"type": "thinking", "thinking": [{"type": "text", "text": "Let me see."}]},
                {"type": "text", "text": ANSWER},
            ],
            "tool_calls": [CALL],
        },
        "magistral-small-latest",
    ),
)

MISTRAL_CONVERSATION = (
    "/v1/conversations",
    {"model": "mistral-medium-latest", "instructions": SYSTEM, "inputs": QUESTION, "stream": False},
    {
        "object": "conversation.response",
        "conversation_id": "conv_1",
        "outputs": [
            {
                "object": "entry",
                "type": "message.output",
                "id": "msg_1",
                "role": "assistant",
                "model": "mistral-medium-latest",
                "content": ANSWER,
            },
            {
                "object": "entry",
                "type": "function.call",
                "id": "fc_1",
                "tool_call_id": "call_1",
                "name": "get_weather",
                "arguments": json.dumps(CITY),
            },
        ],
        "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18},
    },
)

OLLAMA = (
    "/api/chat",
    {"model": "llama3.2", "messages": CHAT, "tools": [FUNCTION], "stream": False},
    {
        "model": "llama3.2",
        "created_at": "2026-01-01T00:00:00Z",
        "message": {
            "role": "assistant",
            "content": ANSWER,
            "tool_calls": [{"function": {"name": "get_weather", "arguments": CITY}}],
        },
        "done": True,
        "done_reason": "stop",
        "prompt_eval_count": 11,
        "eval_count": 7,
    },
)

MCP = (
    "/mcp",
    {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "get_weather", "arguments": CITY}},
    {"jsonrpc": "2.0", "id": 1, "result": {"content": [{"type": "text", "text": ANSWER}], "isError": False}},
)

RERANK = (
    "/v2/rerank",
    {"model": "rerank-v3.5", "query": "rivers", "documents": DOCUMENTS},
    {"id": "r1", "results": [{"index": 0, "relevance_score": 0.9}, {"index": 1, "relevance_score": 0.1}]},
)

RETRIEVE = (
    "/knowledgebases/KB12345678/retrieve",
    {"retrievalQuery": {"text": "rivers"}},
    {
        "retrievalResults": [
            {"content": {"text": text, "type": "TEXT"}, "location": {"type": "S3"}, "score": score}
            for text, score in zip(DOCUMENTS, (0.9, 0.1))
        ]
    },
)

CONVERSATIONS = {
    "openai": OPENAI,
    "responses": RESPONSES,
    "responses-search": RESPONSES_SEARCH,
    "anthropic": ANTHROPIC,
    "gemini": GEMINI,
    "bedrock": BEDROCK,
    "cohere": COHERE,
    "dashscope": DASHSCOPE,
    "mistral": MISTRAL,
    "mistral-conversation": MISTRAL_CONVERSATION,
    "ollama": OLLAMA,
}
OTHERS = {"mcp": MCP, "rerank": RERANK, "dashscope-rerank": DASHSCOPE_RERANK, "retrieve": RETRIEVE}


def as_gold(name, exchange):
    """In the form that tests/gold/player.py plays."""
    path, asked, answered = exchange
    headers = {"content-type": "application/json"}
    request = {"method": "POST", "path": path, "headers": headers, "body": asked}
    return {
        "case": name,
        "exchanges": [{"request": request, "response": {"status": 200, "headers": headers, "body": answered}}],
    }
