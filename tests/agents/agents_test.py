#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Coding agents as they are published, each with one task and one tool call: every call to the model is told once, whole,
as the provider sent it, and nothing else that the agent says to the provider is a call.

  agents_test.py [NAME...]      builds on tests/setup/clients.sh agents

Where the agent's own TLS is not read yet, what is traced is the provider's end of its connections.
"""

import glob
import hashlib
import json
import os
import shutil
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import fake, paths, proc, spantap, tap, wire  # noqa: E402
from harness.steps import tag_of  # noqa: E402
from matrix import rows  # noqa: E402

TASK = "Create the file hello.txt with one line: hello"
HOME = os.path.join(paths.BUILD, "agents", "node_modules")
TIMEOUT = 120


class Agent:
    """@program: below HOME; @where: whose TLS is read; @files: what it finds in its home directory; @calls: at least;
    @capture: by what its TLS is read."""

    def __init__(
        self, name, program, where, arguments, env, files=None, has_conversation=True, calls=2, http2=False, capture="openssl"
    ):
        self.name, self.where, self.arguments, self.calls, self.capture = name, where, arguments, calls, capture
        self.env, self.files, self.has_conversation = env, files or {}, has_conversation
        self.http2 = http2
        self.program = os.path.join(HOME, program)

    def command(self):
        found = glob.glob(self.program)
        if not found:
            raise tap.Skip(f"no {self.name}: run tests/setup/clients.sh agents")
        is_script = found[0].endswith(".js")
        if is_script and not shutil.which("node"):
            raise tap.Skip("no node")
        return (["node"] if is_script else []) + [found[0]] + self.arguments

    def prepared(self, base):
        """A home of its own: an agent's settings, logins and caches change what it says."""
        home = proc.scratch(self.name)
        for path, content in self.files.items():
            path = os.path.join(home, path)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as f:
                f.write(content.replace("BASE", base))
        os.makedirs(os.path.join(home, "project"), exist_ok=True)
        ours = {k: v.replace("BASE", base) for k, v in self.env.items()}
        kept = ("PATH", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "OPENAI_API_KEY", "ANTHROPIC_API_KEY")
        env = {k: v for k, v in fake.client_env().items() if k in kept}
        return {**env, "HOME": home, "TERM": "dumb", "LANG": "C.UTF-8", **ours}, os.path.join(home, "project")


OPENCODE = {
    "share": "disabled",
    "autoupdate": False,
    "permission": {"*": "allow"},
    "model": "fake/gpt-fake",
    "small_model": "fake/gpt-fake",
    "provider": {
        "fake": {
            "npm": "@ai-sdk/openai-compatible",
            "name": "fake",
            "options": {"baseURL": "BASE/v1", "apiKey": "sk-test"},
            "models": {"gpt-fake": {"name": "fake", "tool_call": True, "limit": {"context": 100000, "output": 4000}}},
        }
    },
}
CODEX = """model = "gpt-5.5"
model_provider = "fake"
check_for_update_on_startup = false
[analytics]
enabled = false
[model_providers.fake]
name = "fake"
base_url = "BASE/v1"
env_key = "OPENAI_API_KEY"
wire_api = "responses"
supports_websockets = false
"""
GEMINI = {
    "security": {"auth": {"selectedType": "gemini-api-key"}},
    "general": {"enableAutoUpdate": False},
    "privacy": {"usageStatisticsEnabled": False},
}
QWEN = {"privacy": {"usageStatisticsEnabled": False}, "general": {"enableAutoUpdate": False}}

AGENTS = [
    Agent(
        "claude",
        "@anthropic-ai/claude-code-linux-x64/claude",
        "agent",
        ["-p", TASK, "--allowedTools", "Bash Write"],
        {"ANTHROPIC_BASE_URL": "BASE", "DISABLE_AUTOUPDATER": "1"},
        capture="boringssl",
    ),
    Agent(
        "opencode",
        "opencode-linux-x64/bin/opencode",
        "agent",
        ["run", "--auto", "-m", "fake/gpt-fake", TASK],
        {"OPENCODE_DISABLE_MODELS_FETCH": "1", "OPENCODE_DISABLE_AUTOUPDATE": "1"},
        {"project/opencode.json": json.dumps(OPENCODE)},
        calls=3,
        capture="boringssl",
    ),
    Agent(
        "codex",
        "@openai/codex/vendor/*/bin/codex",
        "agent",
        ["exec", "--skip-git-repo-check", "--dangerously-bypass-approvals-and-sandbox", TASK],
        {},
        {".codex/config.toml": CODEX},
        http2=True,
        capture="rustls",
    ),
    Agent(
        "gemini",
        "@google/gemini-cli/bundle/gemini.js",
        "agent",
        ["--yolo", "-m", "gemini-2.5-flash", "-p", TASK],
        {"GEMINI_API_KEY": "test", "GOOGLE_GEMINI_BASE_URL": "BASE", "GEMINI_CLI_TRUST_WORKSPACE": "true"},
        {".gemini/settings.json": json.dumps(GEMINI)},
        has_conversation=False,
    ),
    Agent(
        "qwen",
        "@qwen-code/qwen-code/cli.js",
        "agent",
        ["--yolo", "--auth-type", "openai", "-p", TASK],
        {"OPENAI_BASE_URL": "BASE/v1", "OPENAI_MODEL": "qwen-fake"},
        {".qwen/settings.json": json.dumps(QWEN)},
        has_conversation=False,
    ),
]


def traced_at_provider(agent, provider, env, cwd):
    tracer = spantap.Spantap("--pid", str(provider.process.pid))
    done = subprocess.run(
        agent.command(), env=env, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=TIMEOUT
    )
    result = tracer.stop()
    return done.returncode, done.stdout + done.stderr, result, tracer.spans()


def traced(agent, env, cwd):
    """The agent starts in its project; by its own name, so that its TLS is found before it begins."""
    result, spans = spantap.run(agent.command(), env=env, timeout=TIMEOUT, cwd=cwd)
    return result.status, result.stdout + result.stderr, result, spans


def text_sha(seen):
    return hashlib.sha256("".join(seen.get("text", [])).encode()).hexdigest()


def check_call(check, span, truth):
    attributes, name = span["attributes"], f"call {truth['n']}"
    seen = wire.of_parts(attributes)
    check.that(rows.re.fullmatch(rows.FAMILIES[truth["dialect"]], attributes.get("spantap.dialect", "")), f"{name}: dialect")
    check.equal(attributes.get("spantap.complete"), True, f"{name}: complete")
    check.equal(attributes.get("http.request.body.size"), truth["request_bytes"], f"{name}: bytes asked")
    check.equal([list(t) for t in seen.get("tools", [])], truth["tools"], f"{name}: tools")
    check.equal(text_sha(seen), truth["text_sha"], f"{name}: text")
    if truth["usage"]:
        check.equal(attributes.get("gen_ai.usage.input_tokens"), truth["usage"][0], f"{name}: input tokens")
        check.equal(attributes.get("gen_ai.usage.output_tokens"), truth["usage"][1], f"{name}: output tokens")


def one_agent(check, agent):
    agent.command()
    provider = fake.Provider(tls2=True)
    port = provider.tls2_port if agent.http2 else provider.tls_port
    env, cwd = agent.prepared(f"https://localhost:{port}/x/enc=auto")
    if agent.where == "agent":
        status, said, result, spans = traced(agent, env, cwd)
    else:
        status, said, result, spans = traced_at_provider(agent, provider, env, cwd)
    truths = sorted(provider.truth(where=lambda t: t["dialect"] in rows.FAMILIES), key=lambda t: t["t"])
    for number, truth in enumerate(truths):
        truth["n"] = number
    check.must(status == 0 and len(truths) >= agent.calls, f"{agent.name} ended with {status}: {said[-1500:]}")
    check.that(any(t["tools"] for t in truths), "no call asked for a tool")
    spans = sorted((s for s in spans if spantap.is_model_call(s)), key=lambda s: int(s["startTimeUnixNano"]))
    check.must(len(spans) == len(truths), f"{len(spans)} calls told, {len(truths)} made")
    left = list(spans)
    for truth in truths:
        span = next(
            (s for s in left if s["attributes"].get("http.request.body.size") == truth["request_bytes"]), left[0]
        )
        left.remove(span)
        check_call(check, span, truth)
    check.equal({s["attributes"]["spantap.capture"] for s in spans}, {agent.capture}, "captured by")
    evidence = {s["attributes"]["spantap.peer_evidence"] for s in spans}
    check.that(evidence <= {"ciphertext", "nested_syscall", "socket"}, f"how the peers are known: {evidence}")
    conversations = {s["attributes"].get("gen_ai.conversation.id") for s in spans}
    check.that(not agent.has_conversation or (len(conversations) == 1 and None not in conversations), "one conversation")
    check.equal(spantap.balanced(result.summary), 0, "difference of the ledger")
    check.note(f"{len(truths)} calls, TLS read at the {agent.where}")
    provider.stop()


BUN_CALLS = 8


def bun_is_told_whole(check):
    """Bun itself, with what it sends and gets counted by the program: more than a record, and several connections at a time."""
    bun = os.path.join(HOME, "@oven", "bun-linux-x64", "bin", "bun")
    if not os.access(bun, os.X_OK):
        raise tap.Skip("no bun: run tests/setup/clients.sh agents")
    provider = fake.Provider()
    url = f"https://localhost:{provider.tls_port}/v1/chat/completions"
    program = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "e2e", "clients", "fetch.mjs")
    env = fake.client_env(provider)
    result, spans = spantap.run([bun, program, url, str(BUN_CALLS), "300000", "1", "bun"], env=env, timeout=TIMEOUT)
    check.must(result.status == 0, repr(result))
    told = {t["tag"]: t for t in map(json.loads, (line for line in result.stdout.split("\n") if line.startswith("{")))}
    spans = {tag_of(s): s["attributes"] for s in spans if spantap.is_model_call(s)}
    check.equal(set(spans), set(told), "calls, by their tags")
    for tag, attributes in spans.items():
        check.equal(attributes.get("spantap.capture"), "boringssl", f"captured by, {tag}")
        check.equal(attributes.get("spantap.complete"), True, f"{tag} is whole")
        check.equal(attributes.get("spantap.peer_evidence"), "ciphertext", f"how the peer of {tag} is known")
        check.equal(attributes.get("network.peer.address"), "127.0.0.1", f"peer's address, {tag}")
        check.equal(attributes.get("http.request.body.size"), told[tag]["request_bytes"], f"bytes asked, {tag}")
        check.equal(attributes.get("http.response.body.size"), told[tag]["response_bytes"], f"bytes answered, {tag}")
    check.equal(len(told), BUN_CALLS, "calls that the program made")
    check.equal(spantap.balanced(result.summary), 0, "difference of the ledger")
    provider.stop()


def codex_by_websocket(check):
    """Messages of one socket, deflated with one dictionary from the first to the last: nothing of it may be missed."""
    agent = next(a for a in AGENTS if a.name == "codex")
    command, side = agent.command(), fake.Side("websocket.py")
    files = {path: text.replace("supports_websockets = false", "supports_websockets = true") for path, text in agent.files.items()}
    agent = Agent("codex", agent.program, "agent", agent.arguments, {}, files)
    env, cwd = agent.prepared(f"https://localhost:{side.tls_port}")
    result, spans = spantap.run(command, env=env, cwd=cwd, timeout=TIMEOUT)
    check.must(result.status == 0, repr(result))
    truths, spans = side.truth(3), sorted(spans, key=lambda s: int(s["startTimeUnixNano"]))
    check.must(len(spans) == len(truths), f"{len(spans)} calls told, {len(truths)} made")
    for span, truth in zip(spans, truths):
        attributes, name = span["attributes"], f"call {truth['serial']}"
        seen = wire.of_parts(attributes)
        check.equal(attributes.get("spantap.capture"), "rustls", f"{name}: captured by")
        check.equal(attributes.get("spantap.complete"), True, f"{name}: complete")
        check.equal(attributes.get("server.port"), side.tls_port, f"{name}: peer")
        check.equal([list(t) for t in seen.get("tools", [])], truth["tools"], f"{name}: tools")
        check.equal(text_sha(seen), truth["text_sha"], f"{name}: text")
        check.that(attributes.get("gen_ai.input.messages"), f"{name}: asked")
    check.that(TASK in json.dumps([s["attributes"].get("gen_ai.input.messages") for s in spans]), "the task")
    check.equal(spantap.balanced(result.summary), 0, "difference of the ledger")
    side.stop()


def main():
    lines, names = tap.Tap(), sys.argv[1:]
    with lines.whole("agents"):
        spantap.need_spantap()
        for agent in AGENTS:
            if not names or agent.name in names:
                lines.run(f"{agent.name}_is_told_call_by_call", one_agent, agent)
        if not names or "codex" in names:
            lines.run("codex_over_a_websocket_is_told_call_by_call", codex_by_websocket)
        if not names or "bun" in names:
            lines.run("bun_is_told_whole", bun_is_told_whole)
    return lines.end()


if __name__ == "__main__":
    sys.exit(main())
