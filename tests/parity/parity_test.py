#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Parity with autolog: the same calls once under autolog into experiment A, once bare under spantap into experiment
B; both traces are fetched from the real server and compared field by field.

  parity_test.py [CASE…]        SHOW=1 prints what the rules allowed
"""

import base64
import os
import shlex
import subprocess
import sys
import uuid

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [TESTS, os.path.join(TESTS, "parity")]
import allowed  # noqa: E402
from cases import ATTEMPTS, CASES, CLOSED, LOST_TOOLS, NOT_TRACED, REPR  # noqa: E402
from google_cases import NESTED  # noqa: E402
from client import BY_URL  # noqa: E402
from harness import compare, fake, mlflow, paths, proc, spantap, tap, wire, wire_frameworks, wire_google  # noqa: E402

FRAMEWORKS = ("langchain", "agents")
CLIENT = os.path.join(TESTS, "parity", "client.py")
LOST = {  # gap: what of autolog's trace cannot be held against ours
    LOST_TOOLS: ["outputs"],
    CLOSED: ["outputs", "model"],
    REPR: ["outputs", "model"],
    NOT_TRACED: [],
    ATTEMPTS: [],
    NESTED: ["google"],
    "texts of all choices are glued into choice 0": ["outputs"],
    "the text received so far is only in the chunk events; no outputs": ["outputs", "model"],
}


class Bed:
    """Both runs, and what came of them."""

    def __init__(self, names):
        self.names, self.name = names, f"parity-{uuid.uuid4().hex[:8]}"
        self.server = mlflow.shared()
        self.provider = fake.Provider({f"{c.name}.{side}": c.script for c in CASES.values() for side in "AB"})
        self.env = fake.client_env(self.provider, PROVIDER=self.provider.url())
        self.raised, self.fields = {}, 0

    def run(self):
        log = open(os.path.join(proc.scratch("autolog"), "out"), "w+")
        autolog = proc.Process(
            ["sh", "-c", self.script("A")],
            "autolog",
            stdout=log,
            env=dict(self.env, MLFLOW_TRACKING_URI=self.server.url),
        )
        self.result, _ = spantap.run(
            ["sh", "-c", self.script("B")],
            server=self.server,
            experiment=f"{self.name}-B",
            env=self.env,
            otlp=False,
            timeout=600,
        )
        if autolog.wait(300) != 0:
            raise tap.Failed(f"the run under autolog failed\n{autolog.log()}")
        log.seek(0)
        self.raised = {
            side: dict(line.split() for line in text.splitlines() if len(line.split()) == 2)
            for side, text in (("A", log.read()), ("B", self.result.stdout))
        }
        self.collect()

    def script(self, side):
        """One program for all cases of an SDK. Bare, the oldest SDKs have a program for each case, so that spantap meets
        many that have just begun; the libraries' imports would take minutes."""
        runs = []
        for sdk in dict.fromkeys(CASES[n].sdk for n in self.names):
            names = [n for n in self.names if CASES[n].sdk == sdk]
            each = [[n] for n in names] if side == "B" and sdk not in BY_URL else [names]
            runs += [shlex.join([python_of(sdk), CLIENT, side, self.name, *some]) for some in each]
        return "set -e\n" + "\n".join(runs)

    def collect(self):
        experiment = self.server.experiment_id(f"{self.name}-B")
        self.ours = {}
        for trace in self.server.traces(experiment) if experiment else []:
            self.ours.setdefault(self.case_of(trace), []).append(trace)

    @staticmethod
    def case_of(trace):
        for span in trace["spans"]:
            for part in str(span["attributes"].get("url.path", "")).replace("/", ",").split(","):
                if part.startswith("case="):
                    return part[5:-2]
        return None

    def theirs(self, name):
        experiment = self.server.experiment_id(f"{self.name}-{name}-A")
        return self.server.traces(experiment) if experiment else []


def wire_meaning(case):
    """What the last answer of the case's script says."""
    entry = case.script[-1]
    if entry.get("status") != 200:
        return None
    body = entry.get("body")
    if "chunks" in entry and isinstance(entry["chunks"][0], dict):
        body = b"".join(base64.b64decode(c["base64"]) for c in entry["chunks"])
    elif "chunks" in entry:
        body = "".join(c for c in entry["chunks"] if not c.startswith("<"))
    converse = "/model/m/converse" + ("-stream" if "chunks" in entry else "")
    path = (
        case.path
        or {"anthropic": "/messages", "google": ":generateContent", "bedrock": converse}.get(case.sdk)
        or (
            "/embeddings"
            if "embeddings" in case.name
            else "/responses"
            if "responses" in case.name
            else "/completions"
            if "legacy" in case.name
            else "/chat/completions"
        )
    )
    return wire.meaning(path, 200, body)


def check_wire(check, case, span):
    compare.meanings(check, wire_meaning(case) or {}, wire.of_span(span["attributes"]))


def check_exchange(check, case, trace, truths):
    """What only the wire knows, against the provider's own counts."""
    attempts = [s for s in trace["spans"] if spantap.is_model_call(s)]
    check.that(attempts, "a span of the exchange itself")
    for span in attempts:
        attributes = span["attributes"]
        check.equal(attributes.get("spantap.complete"), True, "spantap.complete")
        sizes = {(t["request_bytes"], t["status"]) for t in truths}
        size = attributes["http.request.body.size"]
        check.that(any(size == s[0] for s in sizes), f"http.request.body.size {size} is none of {sizes}")
    last = attempts[-1]["attributes"]
    check.equal(last.get("spantap.end"), case.end, "spantap.end")
    if case.end == "complete" and len(truths) == 1:
        truth, size = truths[0], last.get("http.response.body.size")
        # The SDK leaves after the dialect's end, so a coding's trailer may stay unread.
        slack = 32 if truth["stream"] and truth["encoding"] else 0
        check.that(
            truth["response_bytes"] - slack <= size <= truth["response_bytes"],
            f"http.response.body.size {size} instead of {truth['response_bytes']}",
        )
        check.equal(last.get("http.response.status_code"), truth["status"], "http.response.status_code")


def one_case(check, bed, name):
    case = CASES[name]
    theirs, ours = bed.theirs(name), bed.ours.get(name, [])
    check.equal(bed.raised["B"].get(name), bed.raised["A"].get(name), "what the application saw raised")
    check.must(len(ours) == case.traces, f"{len(ours)} traces of ours instead of {case.traces}")
    check.must(
        bool(theirs) == (case.gap not in (CLOSED, NOT_TRACED)) or case.gap == CLOSED,
        f"autolog now gives {len(theirs)} traces here: the gap is another",
    )
    rules = allowed.RULES + [r for gap in LOST.get(case.gap, []) for r in allowed.GAPS[gap]]
    truths = bed.provider.truth(where=lambda t: t["case"] == f"{name}.B")
    mine = ours
    if case.gap == NESTED:
        theirs, mine = wire_google.calls_of(theirs), wire_google.calls_of(ours)
        check.equal(len(mine), len(theirs), "spans of exchanges")
    if theirs and (case.sdk in FRAMEWORKS or case.path):
        for label, a, b in wire_frameworks.compared(case.sdk, theirs, ours):
            check.equal((len(a), len(b)), (len(truths), len(truths)), "spans of model calls")
            bed.fields += compare.traces(check, name + label, a, b, rules + allowed.GAPS["omit"])
    else:
        bed.fields += compare.traces(check, name, theirs, mine, rules)
    for trace in ours:
        check_exchange(check, case, trace, truths)
    if case.gap:
        root = next(s for s in ours[0]["spans"] if not s["parent_span_id"])
        last = compare.in_order(ours)[-1]["spans"][0] if case.gap == NESTED else root
        check_wire(check, case, last)
        check.equal(
            compare.without_nulls(root["attributes"].get("mlflow.spanInputs")),
            compare.without_nulls(truths[0]["request"]),
            "inputs against the request body",
        )


MODULES = {  # what stands for an SDK in an environment that may lack it
    "google": "google.genai",
    "bedrock": "boto3",
    "mistral": "mistralai",
    "langchain": "langchain_openai",
}


def python_of(sdk):
    return paths.PARITY_PYTHON if sdk in BY_URL else paths.CLIENT_PYTHON


def is_installed(sdk):
    python = python_of(sdk)
    code = f"import importlib.util, sys; sys.exit(not importlib.util.find_spec('{MODULES.get(sdk, sdk)}'))"
    return os.access(python, os.X_OK) and subprocess.run([python, "-c", code], capture_output=True).returncode == 0


def main():
    names = [n for n in CASES if not sys.argv[1:] or any(a in n for a in sys.argv[1:])]
    lines = tap.Tap()
    for sdk in sorted({CASES[n].sdk for n in names}):
        left = [n for n in names if CASES[n].sdk == sdk]
        if not is_installed(sdk):
            part = "parity" if sdk in BY_URL else "python"
            lines.line(True, f"{len(left)} cases of {sdk}", skip=f"`tests/setup/clients.sh {part}` installs it")
            names = [n for n in names if n not in left]
    with lines.whole("parity with autolog"):
        spantap.need_spantap()
        bed = Bed(names)
        bed.run()
        lines.line(
            bed.result.status == 0,
            "spantap run ends with the status of its command",
            repr(bed.result) if bed.result.status else "",
        )
        for name in names:
            lines.run(
                f"{name}_equals_autolog" if not CASES[name].gap else f"{name}_has_what_the_wire_had",
                one_case,
                bed,
                name,
            )
        print(
            f"# {bed.fields} fields compared in {len(names)} cases; {len(allowed.RULES)} rules allow differences, for "
            f"{len(allowed.table())} reasons"
        )
    return lines.end()


if __name__ == "__main__":
    sys.exit(main())
