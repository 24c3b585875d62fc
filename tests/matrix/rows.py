# SPDX-License-Identifier: Apache-2.0
"""The rows of the matrix: which client speaks over which carriers, with which content codings, and how it is started.

A carrier is how the bytes travel: TLS or plain sockets, HTTP/1.1 or HTTP/2, gRPC, WebSocket. The provider's side of all of
them is the same, so a row is a client and nothing else.
"""

import glob
import os
import re
import shutil
import sys
from dataclasses import dataclass

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, TESTS)
from harness import paths  # noqa: E402

HERE = os.path.join(TESTS, "matrix", "clients")
BODIES = ("identity", "gzip", "br", "zstd")
FETCH = ("identity", "gzip", "br")

# The provider's dialect and what ours may be called: a vendor's own name or the format that it follows.
FAMILIES = {
    "openai.chat": r"(openai|mistral|groq|together)\.chat",
    "openai.responses": r"openai\.responses",
    "openai.embeddings": r"(openai|voyage|mistral)\.embeddings",
    "anthropic.messages": r"anthropic\.messages",
    "ollama.chat": r"ollama\.chat",
    "ollama.generate": r"ollama\.generate",
    "gemini": r"(gemini|google)(\.\w+)*",
    "bedrock.converse": r"bedrock\.converse\w*",
    "bedrock.invoke": r"bedrock\.invoke\w*",
    "cohere.chat": r"cohere\.(v2\.)?chat",
    "cohere.rerank": r"(cohere(\.\w+)*\.)?rerank",
    "cohere.embed": r"cohere\.(\w+\.)*embed\w*",
    "voyage.rerank": r"((voyage|cohere|jina)(\.\w+)*\.)?rerank",
    "xai.chat": r"xai(\.\w+)*",
}
# The part of the source that must be there before a carrier can be read at all.
CARRIERS = {
    "tls h1": ["http1"],
    "plain h1": ["http1"],
    "tls h2": ["http2|h2"],
    "plain h2": ["http2|h2"],
    "plain grpc": ["http2|h2", "grpc"],
    "tls websocket": ["websocket|wslay|ws"],
    "plain websocket": ["websocket|wslay|ws"],
}
# Bodies of a kind of their own.
FRAMINGS = {"bedrock": "event_?stream|aws"}


def dialects():
    """Registered in the source, as the table of README reads them."""
    names = set()
    for path in glob.glob(os.path.join(paths.TOP, "user", "dialect", "*.c")):
        with open(path) as f:
            names |= set(re.findall(r'\.name = "([a-z0-9_.]+)"', f.read()))
    return names - {"unknown"}


def decoders():
    """The carriers and framings that the source holds, by the names of their files."""
    return {os.path.basename(p)[:-2] for p in glob.glob(os.path.join(paths.TOP, "user", "proto", "*.c"))}


def undecoded(carrier, dialect):
    """Why this cannot be read yet, or None. It asks the source, so that a row begins to count when its decoder arrives."""
    have = decoders()
    wanted = CARRIERS[carrier] + [p for name, p in FRAMINGS.items() if dialect.startswith(name)]
    for pattern in wanted:
        if not any(re.search(rf"(^|_)({pattern})", name) for name in have):
            return f"{carrier if pattern in CARRIERS[carrier] else 'the event stream of ' + dialect} is not decoded yet"
    if not any(re.fullmatch(FAMILIES[dialect], name) for name in dialects()):
        return f"{dialect} is not decoded yet"
    return None


@dataclass
class Client:
    name: str  # as its program knows it
    language: str
    package: str  # as tests/setup/clients.sh pins it
    carriers: tuple
    codings: tuple = BODIES
    slow: bool = False  # for make test-sdks alone

    @property
    def title(self):
        return f"{self.package} ({self.language})"

    def version(self):
        with open(os.path.join(paths.TOP, "tests", "setup", "clients.sh")) as f:
            text = f.read()
        found = re.search(rf'(?<![\w-]){re.escape(self.package)}(?:\[\w+\])?(?:==|@v?|:)([\w.$]+)', text)
        if found and found[1].startswith("$"):
            return re.search(rf"^{found[1][1:]}=(\S+)", text, re.M)[1]
        return found[1] if found else "?"

    def command(self):
        """The program's command, or a reason in a list of one string without it."""
        return COMMANDS[self.language](self.name)


def need(path, part):
    return None if os.access(path, os.R_OK) else f"not set up: run tests/setup/clients.sh {part}"


def python(name):
    return need(paths.SDK_PYTHON, "sdks-python"), [paths.SDK_PYTHON, os.path.join(HERE, "python_sdks.py"), name]


def node(name):
    missing = None if shutil.which("node") else "no node"
    missing = missing or need(os.path.join(paths.SDK_NODE_DIR, "node_modules"), "sdks-node")
    return missing, [shutil.which("node") or "node", os.path.join(HERE, "node_sdks.mjs"), name]


COMMANDS = {"Python": python, "Node": node}

HTTP1 = ("tls h1", "plain h1")
HTTP2 = ("tls h1", "tls h2", "plain h1")
CLIENTS = [
    Client("openai", "Python", "openai", HTTP2),
    Client("openai-async", "Python", "openai", HTTP2),
    Client("anthropic", "Python", "anthropic", HTTP2),
    Client("ollama", "Python", "ollama", HTTP1),
    Client("groq", "Python", "groq", HTTP2),
    Client("together", "Python", "together", HTTP1),
    Client("litellm", "Python", "litellm", HTTP1),
    Client("mistralai", "Python", "mistralai", HTTP2),
    Client("google-genai", "Python", "google-genai", HTTP2),
    Client("boto3", "Python", "boto3", HTTP1, ("identity",)),
    Client("cohere", "Python", "cohere", HTTP2),
    Client("voyageai", "Python", "voyageai", HTTP1),
    Client("httpx", "Python", "httpx", ("tls h1", "tls h2", "plain h1", "plain h2")),
    Client("openai", "Node", "openai", HTTP1, FETCH),
    Client("anthropic", "Node", "@anthropic-ai/sdk", HTTP1, FETCH),
    Client("groq", "Node", "groq-sdk", HTTP1, FETCH),
    Client("ollama", "Node", "ollama", HTTP1, FETCH),
    Client("ai", "Node", "ai", HTTP1, FETCH),
    Client("mistral", "Node", "@mistralai/mistralai", HTTP1, FETCH),
    Client("genai", "Node", "@google/genai", HTTP1, FETCH),
    Client("bedrock", "Node", "@aws-sdk/client-bedrock-runtime", ("tls h1", "tls h2", "plain h2"), ("identity",)),
    Client("cohere", "Node", "cohere-ai", HTTP1, FETCH),
]
