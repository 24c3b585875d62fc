# SPDX-License-Identifier: Apache-2.0
"""Answers that nobody recorded, made from those that were: the same format with other words, names, order, spelling and
framing. A decoder that knows the format does not notice; one that knows the files does.

Words change letter by letter, so that pieces of a text and the whole text stay in step. What an answer means must be read
from the mutant itself. The same seed gives the same mutant."""

import base64
import json
import random
import re
import struct
import zlib

WORDS = ("text", "content", "thinking", "reasoning", "reasoning_content", "refusal", "output_text", "outputText", "response")
WORDS += ("generation", "completion", "generated_text", "summary_text")
DELTAS = ("delta",)  # of a Responses stream: words or arguments, as the event's type says
ARGUMENTS = ("arguments", "partial_json")
IDS = ("id", "call_id", "item_id", "tool_use_id", "toolUseId", "responseId", "generation_id", "system_fingerprint")
MODELS = ("model", "modelVersion")
REASONS = ("finish_reason", "stop_reason", "stopReason", "finishReason", "done_reason")
USAGE = ("usage", "usageMetadata", "prompt_eval_count", "eval_count")
OPAQUE = ("input", "args", "parameters", "arguments", "metadata", "schema", "logprobs", "embedding", "embeddings")

LETTERS = [  # what a letter becomes; the others stay
    {"e": "é", "a": "😀", " ": "\u2003", "n": '\\n"'},
    {"o": "\u0001", "t": "\ud55c\uae00", "s": "\u2028", ".": "…\r\n"},
    {"r": "'\"\\/", "i": "</", "l": "\t", "u": "\u007f\u0080"},
    {"e": "data: ", "\n": "\n\ndata: [DONE]\n\n", "s": "}", "a": "{", "t": "]"},
    {"E": "x" * 900, "e": "ee", "A": "👩‍👩‍👧‍👦"},
]
SAFE = [  # inside of arguments, which are JSON by pieces: no letter of an escape or of a literal, no sign
    {"S": "😀", "T": "ŢŢ", "P": "Q"},
    {"L": "L" * 300, "M": "한"},
]
UNKNOWN = [None, True, 17, -0.5e3, "", "😀", [], {}, [[{"text": "no"}]], {"usage": {"input_tokens": 9}, "text": "no"}]


class Mutation:
    """One draw of everything that may change."""

    def __init__(self, seed):
        self.pick = random.Random(seed)
        chance = self.pick.random
        self.letters = self.pick.choice(LETTERS) if chance() < 0.7 else {}
        self.safe = self.pick.choice(SAFE) if chance() < 0.5 else {}
        self.ids, self.model = chance() < 0.5, chance() < 0.4
        self.reason = self.pick.choice(["halted_by_rule", "ENDE", "x" * 70]) if chance() < 0.2 else None
        self.unknown, self.nulls = chance() * 0.5 * (chance() < 0.5), chance() * 0.5 * (chance() < 0.4)
        self.shuffled, self.no_usage = chance() < 0.5, chance() < 0.15
        self.spacing = self.pick.choice([(",", ":"), (", ", ": "), (" ,\t", " :  "), (",\n ", ":\n")])
        self.escapes = self.pick.choice(["few", "all", "some"])  # "some": also of plain letters, in words and names alone
        self.frame = self.pick.choice(["\n", "\r\n", "\r"])
        self.comments, self.tight, self.split = chance() < 0.3, chance() < 0.3, chance() < 0.2
        self.fields = chance() < 0.3

    def __str__(self):
        told = {k: v for k, v in vars(self).items() if k != "pick" and v}
        return json.dumps(told)


# ---- JSON, spelled in another way ----
def quoted(text, mutation):
    if mutation.escapes == "few":
        return json.dumps(text, ensure_ascii=False)
    plain = json.dumps(text)
    if mutation.escapes == "all":
        return plain.replace("/", "\\/")
    out = []
    for letter in re.findall(r"\\u[0-9a-f]{4}|\\.|.", plain[1:-1], re.S):
        odd = len(letter) == 1 and mutation.pick.random() < 0.1
        out.append(f"\\u{ord(letter):04X}" if odd else letter)
    return '"' + "".join(out) + '"'


class PLAIN:
    escapes = "few"


def spelled(value, mutation, key=None):
    comma, colon = mutation.spacing
    if isinstance(value, dict):
        pairs = [quoted(k, PLAIN) + colon + spelled(v, mutation, k) for k, v in value.items()]
        return "{" + comma.join(pairs) + "}"
    if isinstance(value, list):
        return "[" + comma.join(spelled(v, mutation, key) for v in value) + "]"
    if not isinstance(value, str):
        return json.dumps(value)
    is_free = key in WORDS + DELTAS + ARGUMENTS + IDS + MODELS
    return quoted(value, mutation if is_free or mutation.escapes == "all" else PLAIN)


# ---- what a value becomes ----
def translated(text, table):
    return "".join(table.get(letter, letter) for letter in text)


def string(key, text, mutation, owner):
    kind = str(owner.get("type") or "")
    if key in ARGUMENTS or (key in DELTAS and "arguments" in kind):
        return translated(text, mutation.safe)
    if key in WORDS or (key in DELTAS and kind.endswith("_text.delta")):
        return translated(text, mutation.letters)
    if key in IDS and mutation.ids and text:
        return f"{text[:12]}-{zlib.crc32(text.encode()):08x}" + "-z" * 40
    if key in MODELS and mutation.model and text:
        return f"{text}-of/another:kind"
    if key in REASONS and mutation.reason and text:
        return mutation.reason
    return text


def shapes_of(value, at="", found=None):
    """{path: keys seen there}, over all units of an answer."""
    found = {} if found is None else found
    if isinstance(value, dict):
        found.setdefault(at, set()).update(value)
        for key, inner in value.items():
            shapes_of(inner, f"{at}.{key}", found)
    elif isinstance(value, list):
        for inner in value:
            shapes_of(inner, f"{at}[]", found)
    return found


def members(value, mutation, at, shapes):
    pairs = [(k, changed(v, mutation, f"{at}.{k}", shapes, k, value)) for k, v in value.items()]
    if mutation.no_usage:
        pairs = [(k, v) for k, v in pairs if k not in USAGE]
    for key in sorted(shapes.get(at, ())):
        if key not in value and mutation.pick.random() < mutation.nulls:
            pairs.append((key, None))
    if mutation.pick.random() < mutation.unknown:
        pairs.append((f"x_vendor_{mutation.pick.randint(1, 99)}", mutation.pick.choice(UNKNOWN)))
    if mutation.shuffled:
        mutation.pick.shuffle(pairs)
    return dict(pairs)


def changed(value, mutation, at="", shapes=None, key="", owner=None):
    if isinstance(value, str):
        return string(key, value, mutation, owner or {})
    if isinstance(value, list):
        return [changed(v, mutation, f"{at}[]", shapes or {}, key, owner) for v in value]
    if isinstance(value, dict) and key not in OPAQUE:
        return members(value, mutation, at, shapes or {})
    return value


# ---- the ways of framing ----
def whole(text, mutation):
    body = json.loads(text)
    return spelled(changed(body, mutation, "", {}), mutation)


def lines(text, mutation):
    units = [json.loads(line) for line in text.split("\n") if line.strip()]
    shapes = shapes_of(units)
    spaced = [spelled(changed(u, mutation, "[]", shapes), mutation).replace("\n", " ") for u in units]
    end = mutation.frame if mutation.frame != "\r" else "\n"
    return "".join(line + end + (end if mutation.comments else "") for line in spaced)


def fields_of(event):
    return [line.partition(":")[::2] for line in event.split("\n") if line and not line.startswith(":")]


def data_lines(data, mutation):
    """A line break inside of JSON is a new data line."""
    pieces = data.split("\n") if "\n" in data else [data]
    return [("data:" if mutation.tight else "data: ") + p for p in pieces]


def event(fields, mutation, shapes):
    out, data = [], []
    for name, value in fields:
        value = value.removeprefix(" ")
        if name == "data":
            data.append(value)
        else:
            out.append(f"{name}:{'' if mutation.tight else ' '}{value}")
    text = "\n".join(data)
    if text.strip() not in ("", "[DONE]"):
        text = spelled(changed(json.loads(text), mutation, "[]", shapes), mutation)
    out += data_lines(text, mutation) if data else []
    if mutation.fields:
        mutation.pick.shuffle(out) if len(data) == 1 and "\n" not in text else None
        out += ["id: 7", "retry: 1000"]
    if mutation.comments:
        out = [": ping", ""] + out if mutation.pick.random() < 0.5 else [":"] + out + [""]
    return out


def events(text, mutation):
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    found = [f for e in re.split(r"\n\n+", text) if (f := fields_of(e))]
    datas = ["\n".join(v.removeprefix(" ") for n, v in f if n == "data") for f in found]
    shapes = shapes_of([json.loads(d) for d in datas if d.strip() not in ("", "[DONE]")])
    out = [line for f in found for line in event(f, mutation, shapes) + [""]]
    return "".join(line + mutation.frame for line in out)


# ---- Amazon's frames ----
def frame(head, payload):
    total = 12 + len(head) + len(payload) + 4
    prelude = struct.pack(">II", total, len(head))
    message = prelude + struct.pack(">I", zlib.crc32(prelude)) + head + payload
    return message + struct.pack(">I", zlib.crc32(message))


def frames(data, mutation):
    out, at = [], 0
    while at < len(data):
        total, size = struct.unpack_from(">II", data, at)
        head, payload = data[at + 12 : at + 12 + size], data[at + 12 + size : at + total - 4]
        at += total
        body = json.loads(payload)
        if isinstance(body.get("bytes"), str):
            inner = json.loads(base64.b64decode(body["bytes"]))
            text = spelled(changed(inner, mutation, "", {}), mutation)
            body["bytes"] = base64.b64encode(text.encode("utf-8", "surrogatepass")).decode()
        else:
            body = changed(body, mutation, "", {})
        out.append(frame(head, spelled(body, mutation).encode("utf-8", "surrogatepass")))
    return b"".join(out)


def mutant(body, content_type, seed):
    """@body: bytes. Returns (mutant, its Mutation)."""
    mutation = Mutation(seed)
    if "vnd.amazon.eventstream" in content_type:
        return frames(body, mutation), mutation
    text = body.decode("utf-8", "surrogateescape")
    if "event-stream" in content_type:
        made = events(text, mutation)
    elif any(word in content_type for word in ("ndjson", "stream+json")):
        made = events(text, mutation) if text.startswith(("event:", "data:")) else lines(text, mutation)
    else:
        made = whole(text, mutation)
    return made.encode("utf-8", "surrogateescape"), mutation
