# SPDX-License-Identifier: Apache-2.0
"""Two traces, field by field. Everything that either has is compared, down to the leaves; what may differ is a list
of rules, each with its reason (tests/parity/allowed.py), and what a rule allowed is counted and can be shown."""

import json
import math
import os
import re

MISSING = object()


def without_nulls(value):
    if isinstance(value, dict):
        return {k: without_nulls(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [without_nulls(v) for v in value]
    return value


def parsed(text):
    """JSON objects and lists that travel as text (metadata, chunk events, previews), or the text."""
    if isinstance(text, str) and text[:1] in "{[":
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


def merged(attributes):
    """extra_body is an argument of the SDK; on the wire its members stand in the body, beside the others."""
    out = dict(attributes)
    inputs = out.get("mlflow.spanInputs")
    if isinstance(inputs, dict) and isinstance(inputs.get("extra_body"), dict):
        out["mlflow.spanInputs"] = {**{k: v for k, v in inputs.items() if k != "extra_body"}, **inputs["extra_body"]}
    if isinstance(out.get("extra_body"), dict):
        out.update(out.pop("extra_body"))
    return out


def normal(trace):
    """A trace as nested dicts and lists without ids in places where the tree says the same."""
    spans = trace["spans"]
    places = {s["span_id"]: i for i, s in enumerate(spans)}
    info = dict(trace["info"])
    for key in ("request_preview", "response_preview"):
        info[key] = parsed(info.get(key))
    info["trace_metadata"] = {k: parsed(v) for k, v in info.get("trace_metadata", {}).items()}
    out = []
    for span in spans:
        span = dict(span, parent=places.get(span["parent_span_id"]), attributes=merged(span["attributes"]))
        span["events"] = [
            dict(e, attributes={k: parsed(v) for k, v in e.get("attributes", {}).items()}) for e in span["events"]
        ]
        out.append(span)
    return without_nulls({"info": info, "spans": out})


def leaf_equal(a, b):
    if isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        return a == b or math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-12)
    return a == b


def leaves(a, b, path=""):
    """Yields (path, a, b, equal) for every leaf of either side; a subtree that one side lacks is one leaf."""
    if isinstance(a, dict) and isinstance(b, dict):
        for key in sorted(set(a) | set(b)):
            yield from leaves(a.get(key, MISSING), b.get(key, MISSING), f"{path}/{key}" if path else key)
    elif isinstance(a, list) and isinstance(b, list):
        for i in range(max(len(a), len(b))):
            yield from leaves(a[i] if i < len(a) else MISSING, b[i] if i < len(b) else MISSING, f"{path}/{i}")
    else:
        yield path, a, b, a is not MISSING and b is not MISSING and leaf_equal(a, b)


class Rule:
    """@path: regular expression for the whole path. @kind: "extra" (only ours has it), "missing" (only theirs),
    "differs" (both, unequal) or "any". @when: what theirs must match as text; @cases: the cases that it is for."""

    def __init__(self, path, kind, reason, when=None, cases=None):
        self.path, self.kind, self.reason = re.compile(path), kind, reason
        self.when, self.cases = when and re.compile(when, re.S), cases and re.compile(cases)

    def allows(self, case, path, a, b):
        kind = "extra" if a is MISSING else "missing" if b is MISSING else "differs"
        if self.kind not in (kind, "any") or not self.path.fullmatch(path):
            return False
        if self.cases and not self.cases.fullmatch(case):
            return False
        return not self.when or (a is not MISSING and self.when.match(str(a)) is not None)


class Report:
    def __init__(self):
        self.compared, self.differences, self.allowed = 0, [], []

    def text(self):
        return "\n".join(f"{path}: autolog {brief(a)}, spantap {brief(b)}" for path, a, b in self.differences)


def brief(value):
    if value is MISSING:
        return "nothing"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) < 400 else text[:400] + "…"


def descend(rules, case, path, a, b):
    """A subtree that one side lacks is allowed as a whole, or else leaf by leaf: a rule may name a part of it."""
    for rule in rules:
        if rule.allows(case, path, a, b):
            return [(path, a, b, rule)]
    present = b if a is MISSING else a if b is MISSING else None
    if isinstance(present, dict) and present:
        return [
            x
            for k, v in present.items()
            for x in descend(rules, case, f"{path}/{k}", *((MISSING, v) if a is MISSING else (v, MISSING)))
        ]
    return [(path, a, b, None)]


def compare(case, theirs, ours, rules):
    report = Report()
    for path, a, b, equal in leaves(normal(theirs), normal(ours)):
        if equal:
            report.compared += 1
            continue
        for where, x, y, rule in descend(rules, case, path, a, b):
            if rule:
                report.allowed.append((where, rule))
            else:
                report.compared += 1
                report.differences.append((where, x, y))
    return report


def in_order(traces):
    """Traces in an order that both sides share: by what was asked, then by time."""

    def key(trace):
        inputs = trace["spans"][0]["attributes"].get("mlflow.spanInputs") if trace["spans"] else None
        messages = inputs.get("messages") or inputs.get("input") if isinstance(inputs, dict) else inputs
        return json.dumps(messages, sort_keys=True)[:2000]

    return sorted(traces, key=key)


def without_attempts(trace):
    """The logical call alone: the attempts below it, and what the provider did on its side, are more than autolog tells."""
    more = ("spantap.retry.index", "gen_ai.tool.server_side")
    keep = [s for s in trace["spans"] if not (s["parent_span_id"] and any(name in s["attributes"] for name in more))]
    return {"info": trace["info"], "spans": keep}


def traces(check, name, theirs, ours, rules):
    """States that these are the same but for what @rules allow; how many fields were compared. SHOW tells what was allowed."""
    fields = 0
    for a, b in zip(in_order(theirs), in_order(ours)):
        report = compare(name, a, without_attempts(b), rules)
        fields += report.compared
        if report.differences:
            check.that(False, report.text())
        if os.environ.get("SHOW"):
            check.note("\n".join(f"allowed: {path} ({rule.reason})" for path, rule in report.allowed))
    return fields


def meanings(check, wanted, seen):
    """States that what the wire said is what a span shows (see wire.py)."""
    for key in wanted:
        if key == "usage":
            for name, count in wanted[key].items():
                check.equal(seen.get(key, {}).get(name), count, f"usage {name} against the wire")
        else:
            check.equal(seen.get(key), wanted[key], f"{key} against the wire")
