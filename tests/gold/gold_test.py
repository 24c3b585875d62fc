#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Gold without Python: the exchanges of each case go over the wire once more from a bare client, and the trace that
spantap makes of them must be the one that autolog made; where autolog lost something, it must have what the wire had.

  gold_test.py [DIRECTORY] [CASE…]
"""

import base64
import glob
import json
import os
import re
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [TESTS, os.path.join(TESTS, "parity")]
import allowed  # noqa: E402
from harness import compare, fake, mlflow, paths, spantap, tap, wire, wire_frameworks, wire_google  # noqa: E402

MODEL_CALL = re.compile(
    r"(Async)?(Completions|Responses|Embeddings|Messages\.create)$|BedrockRuntime\.\w+$|litellm-a?completion$"
)
DIALECTS = ("openai.", "anthropic.", "ollama.", "bedrock.", "gemini.")
ENDS = {  # spantap.end where it is not "complete"
    "openai_async_cancel": "client_cancel",
    "openai_async_stream_cancel": "client_cancel",
    "openai_stream_client_break": "client_cancel",
    "openai_stream_client_close": "client_cancel",
    "anthropic_stream_client_close": "client_cancel",
    "bedrock_converse_stream_client_close": "client_cancel",
    "openai_stream_connection_drop": "server_cut",
    "openai_timeout": "timeout",
    "anthropic_timeout": "timeout",
}
NO_SPAN = {"openai_models_list"}  # side traffic
GAPS = [  # what a gap means for the comparison: regular expression for its text, groups of allowed.GAPS
    (r"tool calls of the stream|texts of all choices", ["outputs"]),
    (
        r"output is the repr|the text received so far|model, usage, status and id|no usage",
        ["outputs", "model", "status"],
    ),
    (r"usage 0/0/0", ["outputs", "model"]),
    (r"every unset argument", ["omit", "outputs"]),
    (r"one span for all attempts", []),
    (r"two or three nested spans", ["google"]),
]


def of_our_dialects(gold):
    return (
        gold["exchanges"]
        and all(wire.dialect_of(e["request"]["path"]) for e in gold["exchanges"])
        or gold["case"] in NO_SPAN
    )


def load(directory, chosen):
    cases = []
    for path in sorted(glob.glob(os.path.join(directory, "*.json"))):
        with open(path) as f:
            gold = json.load(f)
        if of_our_dialects(gold) and (not chosen or any(c in gold["case"] for c in chosen)):
            cases.append((path, gold))
    return cases


class Bed:
    def __init__(self, cases):
        self.fields = 0
        self.server = mlflow.shared()
        self.provider = fake.Provider({gold["case"]: [e["response"] for e in gold["exchanges"]] for _, gold in cases})
        self.experiment, number = self.server.experiment()
        command = [
            sys.executable,
            os.path.join(TESTS, "gold", "player.py"),
            str(self.provider.tls_port),
            self.provider.ca,
        ]
        self.result, _ = spantap.run(
            command + [path for path, _ in cases],
            server=self.server,
            experiment=self.experiment,
            env=fake.client_env(),
            otlp=False,
            timeout=300,
        )
        self.ours = {}
        for trace in self.server.traces(number):
            self.ours.setdefault(self.case_of(trace), []).append(trace)

    @staticmethod
    def case_of(trace):
        for span in trace["spans"]:
            found = re.search(r"/x/case=([^/]*)/", str(span["attributes"].get("url.path", "")))
            if found:
                return found[1]
        return None


def answer_text(response):
    if "chunks" in response:
        if any(isinstance(c, dict) for c in response["chunks"]):
            return b"".join(base64.b64decode(c["base64"]) for c in response["chunks"] if isinstance(c, dict))
        return "".join(c for c in response["chunks"] if not c.startswith("<"))
    return response.get("body")


def check_wire(check, gold, spans):
    """Each logical call against the last answer that it got."""
    last = [e for e in gold["exchanges"] if e["response"].get("status") == 200]
    if len(last) != len(spans):
        return
    for exchange, span in zip(last, spans):
        wanted = wire.meaning(exchange["request"]["path"], 200, answer_text(exchange["response"]))
        seen = wire.of_span(span["attributes"])
        compare.meanings(check, wanted, seen)
        check.equal(
            compare.without_nulls(span["attributes"].get("mlflow.spanInputs")),
            compare.without_nulls(exchange["request"]["body"]),
            "inputs against the request body",
        )


def check_fields(check, bed, gold, theirs, ours, rules):
    check.must(len(theirs) == len(ours), f"{len(ours)} traces of ours instead of {len(theirs)}")
    bed.fields += compare.traces(check, gold["case"], theirs, ours, rules)


def model_calls(traces):
    """Each model-call span as if it were a trace of its own, without the tree that only the process knew."""
    return [
        {"info": {}, "spans": [dict(s, parent_span_id=None)]}
        for t in traces
        for s in t["spans"]
        if MODEL_CALL.match(s["name"])
    ]


def check_model_calls(check, bed, gold, ours):
    """The SDK's spans field by field, those of a framework above it by what they mean."""
    rules = allowed.RULES + allowed.GAPS["omit"]
    theirs = model_calls(gold["traces"])
    if theirs:
        check_fields(check, bed, gold, theirs, model_calls(ours), rules)
    case = gold["case"].removeprefix("openai_")
    framework = case.split("_")[0]
    if framework in wire_frameworks.MODEL_SPANS and framework != "litellm" and gold["traces"]:
        label, theirs, mine = wire_frameworks.compared(framework, gold["traces"], ours)[0]
        check_fields(check, bed, dict(gold, case=case + label), theirs, mine, rules)


def check_google(check, bed, gold, ours, rules):
    theirs, mine = wire_google.calls_of(gold["traces"]), wire_google.calls_of(ours)
    if theirs:
        check_fields(check, bed, gold, theirs, mine, rules)
    answers = [e["response"] for e in gold["exchanges"]]
    for answer, trace in zip(answers, compare.in_order(mine)):
        if answer["status"] == 200 and "body" in answer:
            shown = trace["spans"][0]["attributes"].get("mlflow.spanOutputs")
            check.equal(shown, answer["body"], "outputs against the answer's body")


def one_case(check, bed, gold):
    name, ours = gold["case"], bed.ours.get(gold["case"], [])
    if name in NO_SPAN:
        check.equal(len(ours), 0, "traces of side traffic")
        return
    check.must(ours, "no trace of ours")
    roots = [s for t in ours for s in t["spans"] if not s["parent_span_id"]]
    ended = [s["attributes"] for t in ours for s in t["spans"] if spantap.is_model_call(s)][-1]
    check.equal(ended.get("spantap.complete"), True, "spantap.complete")
    check.equal(ended.get("spantap.end"), ENDS.get(name, "complete"), "spantap.end")
    if gold["parity"] == "match":
        check_fields(check, bed, gold, gold["traces"], ours, allowed.RULES)
    elif gold["parity"] == "in-process":
        check_model_calls(check, bed, gold, ours)
        check_wire(check, gold, roots)
    else:
        groups = next((g for pattern, g in GAPS if re.search(pattern, gold["parity"])), [])
        rules = allowed.RULES + [r for group in groups for r in allowed.GAPS[group]]
        # Without a trace of theirs, or with another library's spans, the wire alone says what ours must hold.
        if gold["traces"] and MODEL_CALL.match(gold["traces"][0]["spans"][0]["name"]):
            check_fields(check, bed, gold, gold["traces"], ours, rules)
        if name.startswith("gemini_"):
            check_google(check, bed, gold, ours, rules)
        check_wire(check, gold, roots)


def main():
    arguments = sys.argv[1:]
    directory = arguments.pop(0) if arguments and os.path.isdir(arguments[0]) else paths.GOLD
    lines, cases = tap.Tap(), load(directory, arguments)
    with lines.whole("gold"):
        if not cases:
            raise tap.Skip(f"no gold files in {directory}; SPANTAP_GOLD names the place")
        spantap.need_spantap()
        bed = Bed(cases)
        lines.line(
            bed.result.status == 0, "the exchanges went over the wire", repr(bed.result) if bed.result.status else ""
        )
        for _, gold in cases:
            kind = {"match": "gives_autologs_trace", "in-process": "gives_the_model_calls"}.get(
                gold["parity"], "has_what_the_wire_had"
            )
            lines.run(f"{gold['case']}_{kind}", one_case, bed, gold)
        print(f"# {bed.fields} fields compared in {len(cases)} gold cases")
    return lines.end()


if __name__ == "__main__":
    sys.exit(main())
