# SPDX-License-Identifier: Apache-2.0
"""Bedrock's conversation in both directions over one stream of HTTP/2 (Nova Sonic). The client's messages are signed, each
around another, whose payload holds an event in base64; each content of the user's that it ends is answered by a
completion: what was heard, what is meant, sound, what was said, tokens. The stream ends with the session.

Truth is a line for each completion; sizes are not told.
"""

import base64
import hashlib
import json
import struct
import time

from answers import ARGUMENTS, dump, pieces_of_text
from dialects_bedrock import EVENT_STREAM, frame, model_of

PATH = "/invoke-with-bidirectional-stream"
SOUND = base64.b64encode(bytes(1024)).decode()
STAGE = '{{"generationStage":"{}"}}'


def payload_of(message):
    headers = struct.unpack(">I", message[4:8])[0]
    return message[12 + headers : -4]


class Conversation:
    """One stream. feed() takes what came, and gives what is to be sent now."""

    def __init__(self, target, path, options, next_serial, tell):
        self.target, self.options, self.next_serial, self.tell = target, options, next_serial, tell
        self.model = model_of({"path": path})
        self.buffer, self.role, self.offered, self.is_over = b"", None, None, False

    def events(self, data):
        self.buffer += data
        while len(self.buffer) >= 4 and len(self.buffer) >= (length := struct.unpack(">I", self.buffer[:4])[0]):
            inner = payload_of(self.buffer[:length])
            self.buffer = self.buffer[length:]
            if inner:
                yield json.loads(base64.b64decode(json.loads(payload_of(inner))["bytes"]))["event"]

    def feed(self, data):
        out = []
        for event in self.events(data):
            (name, value), *_ = event.items()
            if name == "promptStart":
                tools = (value.get("toolConfiguration") or {}).get("tools") or []
                self.offered = tools[0]["toolSpec"]["name"] if tools else None
            elif name == "contentStart":
                self.role = value.get("role")
            elif name == "contentEnd" and self.role == "USER":
                out += self.completion()
            self.is_over |= name == "sessionEnd"
        return out

    def completion(self):
        serial = self.next_serial()
        texts, tool = pieces_of_text(dict(self.options, serial=serial)), self.offered
        ids = {"sessionId": "s", "promptName": "p", "completionId": f"sonic-{serial:08d}"}

        def said(name, **value):
            event = {"event": {name: dict(ids, **value)}}
            return frame("chunk", {"bytes": base64.b64encode(dump(event).encode()).decode()})

        def content(ident, kind, role, stage, parts, reason="PARTIAL_TURN"):
            fields = {"additionalModelFields": STAGE.format(stage)} if stage else {}
            yield said("contentStart", contentId=ident, type=kind, role=role, **fields)
            for name, value in parts:
                yield said(name, contentId=ident, **value)
            yield said("contentEnd", contentId=ident, type=kind, stopReason=reason)

        def words(role, texts):
            return [("textOutput", {"content": text, "role": role}) for text in texts]

        used = {"toolUseId": "t", "toolName": tool, "content": dump(ARGUMENTS)}
        spent = {"input": {"speechTokens": 1000, "textTokens": 200}, "output": {"speechTokens": 0, "textTokens": len(texts)}}
        pieces = [said("completionStart"), *content("1", "TEXT", "USER", "FINAL", words("USER", ["hello"]))]
        if tool:
            pieces += content("2", "TOOL", "TOOL", None, [("toolUse", used)], "TOOL_USE")
        else:
            pieces += content("2", "TEXT", "ASSISTANT", "SPECULATIVE", words("ASSISTANT", ["meant"]))
            pieces += content("3", "AUDIO", "ASSISTANT", None, [("audioOutput", {"content": SOUND})] * 3)
            pieces += content("4", "TEXT", "ASSISTANT", "FINAL", words("ASSISTANT", texts), "END_TURN")
        pieces.append(said("usageEvent", details={"delta": spent, "total": spent}))
        pieces.append(said("completionEnd", stopReason="END_TURN"))
        self.tell_truth(serial, "" if tool else "".join(texts), [(tool, ARGUMENTS)] if tool else [], (1200, len(texts)))
        return pieces

    def tell_truth(self, serial, text, tools, usage):
        self.tell(
            {
                "t": time.time(),
                "serial": serial,
                "http": "2",
                "encoding": None,
                "target": self.target,
                "dialect": "bedrock.sonic",
                "model": self.model,
                "stream": True,
                "status": 200,
                "tools": tools,
                "usage": usage,
                "text_sha": hashlib.sha256(text.encode()).hexdigest(),
                "text_length": len(text),
                "end": "complete",
            }
        )


HEADERS = [("content-type", EVENT_STREAM), ("x-amzn-requestid", "sonic")]
