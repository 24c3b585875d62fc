# SPDX-License-Identifier: Apache-2.0
"""What the Python SDKs are asked, and what they have in common."""

import json

PROMPT = "hello from the matrix"
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
FUNCTION = {"name": "get_weather", "description": "the weather of a city", "parameters": CITY}
TOOLS = [{"type": "function", "function": FUNCTION}]
MESSAGES = [{"role": "user", "content": PROMPT}]


def tools_of(calls):
    """OpenAI's tool calls, whose arguments are text, or Ollama's, whose are not."""
    out = []
    for call in calls or []:
        arguments = call.function.arguments
        out.append([call.function.name, json.loads(arguments) if isinstance(arguments, str) else dict(arguments)])
    return out


def text_only(text):
    return {"text": text}


class ChatCompletions:
    """What openai, groq, together, litellm and mistral have in common; create() is theirs."""

    def chat(self):
        return text_only(self.create(messages=MESSAGES).choices[0].message.content)

    def stream(self):
        parts = []
        for chunk in self.streamed(messages=MESSAGES):
            chunk = getattr(chunk, "data", chunk)
            if chunk.choices:
                parts.append(chunk.choices[0].delta.content or "")
        return text_only("".join(parts))

    def tools(self):
        return {"tools": tools_of(self.create(messages=MESSAGES, tools=TOOLS).choices[0].message.tool_calls)}

    def streamed(self, **asked):
        return self.create(stream=True, **asked)
