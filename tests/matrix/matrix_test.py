#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real SDKs over real carriers: each call as the provider served it, against the span that came out.

TLS is that of a front before the provider (nginx), which compresses too. Where the client's own TLS is not read yet, it runs
untraced, and the spans are those of the front: of the bytes that it took from the client and gave to it, and of its plain
side to the provider.

  matrix_test.py [--update] [--all] [NAME...]

One run of spantap a client: the client makes every call that its SDK has over every carrier and content coding, and says
what it understood; the provider says what it sent; the spans must say the same. Results go to build/matrix.json and must
be those of results.json, from which the table of README is made; --update writes it. --all takes the slow clients too.
"""

import hashlib
import json
import os
import subprocess
import sys
import urllib.parse

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import fake, front, paths, proc, spantap, tap, wire  # noqa: E402
from matrix import rows  # noqa: E402

RESULTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "results.json")
NO_SIZE = -1
KIND_SERVER, KIND_CLIENT = 2, 3
CLIENT_TIMEOUT = 150
GZIP_TAIL = {"response_tail_bytes": 16, "response_tail_stream_bytes": 32}  # the end of nginx's gzip, and of its chunks
GRPC = {  # the services, their fakes, and whose packages these need
    "xai_api.": ("xai.py", paths.SDK_PYTHON),
    "google.ai.generativelanguage.": ("gemini_grpc.py", paths.SDK_PYTHON),
    "google.cloud.aiplatform.": ("gemini_grpc.py", paths.VERTEX_PYTHON),
}


def sha(text):
    return hashlib.sha256((text or "").encode()).hexdigest()


class Providers:
    """The fakes that the carriers need, started when a row first asks for one."""

    def __init__(self):
        self.all = {}

    def get(self, name, make):
        if name not in self.all:
            self.all[name] = make()
        return self.all[name]

    def http(self):
        return self.get("http", lambda: fake.Provider(plain=True, tls2=True))

    def grpc(self, service):
        return self.get(service, lambda: fake.Side(*GRPC[service])).plain_port

    def front(self):
        if not front.program():
            raise tap.Skip("no nginx: run tests/setup/clients.sh front")
        services = [service for service, (_, python) in GRPC.items() if os.access(python, os.X_OK)]
        return self.get("front", lambda: front.Front(self.http(), {s: self.grpc(s) for s in services}))

    def base(self, client, carrier, tag, coding, at_server):
        if carrier.endswith("grpc"):
            # xAI's SDK takes no TLS to the name localhost.
            return f"127.0.0.1:{self.front().tls2_port if carrier.startswith('tls') else self.grpc(client.grpc)}"
        is_fronted = at_server or (is_behind_front(carrier) and not client.is_direct)
        if carrier.endswith("websocket"):
            provider = self.get("websocket", lambda: fake.Side("websocket.py"))
        else:
            provider = self.front() if is_fronted else self.http()
        coding = "front" if is_fronted and coding == "gzip" else coding
        if carrier.startswith("tls"):
            scheme, port = "https", provider.tls2_port if carrier == "tls h2" else provider.tls_port
        else:
            scheme, port = "http", provider.plain_port
        # Noise: no two answers have the same text, so that one told for another cannot go unseen.
        return f"{scheme}://localhost:{port}/x/noise=1,tag={tag}" + ("" if coding == "identity" else f",enc={coding}")

    def truth(self):
        """The model calls at all of them, in the order of their begin."""
        fakes = [p for name, p in self.all.items() if name != "front"]
        told = [t for p in fakes for t in p.truth(where=lambda t: t["dialect"] in rows.FAMILIES)]
        return sorted(told, key=lambda t: t["t"])

    def truth_at_front(self):
        """The same; under "front" as it travelled on the TLS side."""
        truths = self.truth()
        fronted = [t for t in truths if ".tls.h" in t["target"]] if "front" in self.all else []
        passed = self.front().truth(len(fronted)) if fronted else []
        passed = {int(t["serial"].rpartition("-")[2]): t for t in passed if t["serial"]}
        for truth in fronted:
            if truth["serial"] in passed:
                truth["front"] = at_front(truth, passed[truth["serial"]])
        return truths

    def forget(self):
        for provider in self.all.values():
            provider.forget()


def at_front(truth, passed):
    """What the client and the front had on their connection. nginx counts no frames of HTTP/2, but then the body alone."""
    http = passed["http"].removeprefix("HTTP/").removesuffix(".0")
    is_first = http == "1.1"
    there = dict(
        truth,
        http=http,
        encoding=passed["coding"] or None,
        request_stream_bytes=passed["request"] if is_first else None,
        response_stream_bytes=passed["response"] if is_first else None,
    )
    if there["encoding"] != truth["encoding"]:
        there.update(response_bytes=None if is_first else passed["body"], **GZIP_TAIL)
    return there


def is_behind_front(carrier):
    """A client that is read itself has no need of nginx, where there is none."""
    return carrier in ("tls h1", "tls h2") and front.program() is not None


def targets(client, providers, carriers, at_server):
    """{(carrier, coding): (tag, what the client is told)}"""
    out = {}
    for carrier in carriers:
        for coding in client.codings:
            tag = f"{client.name}.{carrier.replace(' ', '.')}.{coding}"
            base = providers.base(client, carrier, tag, coding, at_server)
            out[carrier, coding] = tag, {"base": base, "http2": carrier.endswith("h2"), "plain": carrier[0] == "p"}
    return out


def has_tag(target, tag):
    """gRPC has no room for a tag in its path, and one client alone that speaks it."""
    if ".grpc." in tag:
        return True
    parts = urllib.parse.unquote(target or "").split("/", 3)
    return len(parts) > 2 and f"tag={tag}" in parts[2].split(",")


def together(said, sent):
    """The calls and their exchanges: in order, or by the model where a client makes several at the same time."""
    left = list(sent)
    for call in said:
        truth = next((t for t in left if t["model"] == call.get("model")), left[0])
        left.remove(truth)
        yield call, truth


def path_of(target):
    return urllib.parse.unquote(target.partition("?")[0])


def check_client(check, call, truth, carrier, coding):
    """What the SDK understood is what the provider sent: else the row proves nothing."""
    name = call["call"]
    if not check.that("error" not in call, f"{name}: the client failed: {call.get('error')}"):
        return
    if "text" in call:
        check.equal(sha(call["text"]), truth["text_sha"], f"{name}: the client's text")
    if "tools" in call:
        check.equal(call["tools"], truth["tools"], f"{name}: the client's tools")
    kind = carrier.split()[1]
    check.equal(truth["http"], {"h1": "1.1", "h2": "2", "grpc": "2"}.get(kind, kind), f"{name}: HTTP")
    if kind in ("h1", "h2"):
        check.equal(truth["encoding"], None if coding == "identity" else coding, f"{name}: coding")


def check_size(check, name, attributes, ours, truth, theirs):
    """To the byte; only what follows the last piece of a stream may be left unread by a client that knows its end."""
    wanted, got = truth.get(theirs), attributes.get(ours, NO_SIZE)
    if wanted is not None:
        least = wanted - truth.get(theirs.replace("response_", "response_tail_"), 0) if "response" in theirs else wanted
        check.that(least <= got <= wanted, f"{name}: {ours}: {got} instead of {least}..{wanted}")


def check_span(check, name, span, truth):
    attributes, dialect = span["attributes"], truth["dialect"]
    seen = wire.of_parts(attributes)
    got = attributes.get("spantap.dialect", "")
    check.that(rows.re.fullmatch(rows.FAMILIES[dialect], got), f"{name}: dialect {got} for {dialect}")
    check.equal(attributes.get("spantap.complete"), True, f"{name}: complete")
    check.equal(attributes.get("spantap.end"), "complete", f"{name}: end")
    models = {attributes.get(f"gen_ai.{side}.model") for side in ("request", "response")}
    check.that(truth["model"] in models, f"{name}: model {models} instead of {truth['model']}")
    for side in ("request", "response"):
        check_size(check, name, attributes, f"http.{side}.body.size", truth, f"{side}_bytes")
        check_size(check, name, attributes, f"spantap.{side}.stream_bytes", truth, f"{side}_stream_bytes")
    for kind, wanted in zip(("input", "output"), truth["usage"] or (None, None)):
        if wanted is not None:
            check.equal(attributes.get(f"gen_ai.usage.{kind}_tokens"), wanted, f"{name}: {kind} tokens")
    if truth["text_length"]:
        check.equal(sha("".join(seen.get("text", []))), truth["text_sha"], f"{name}: text")
    check.equal([list(t) for t in seen.get("tools", [])], truth["tools"], f"{name}: tools")


class Found:
    """The spans of one base URL. A call's own is the first of its path that nobody has taken, in the order of their begin;
    of calls at the same time, the one that asked for the same model."""

    def __init__(self, spans):
        self.by_path, self.counts = {}, {}
        for span in sorted(spans, key=lambda s: int(s["startTimeUnixNano"])):
            path = path_of(span["attributes"].get("url.path", ""))
            self.by_path.setdefault(path, []).append(span)
            self.counts[path] = self.counts.get(path, 0) + 1

    def count(self, path):
        return self.counts.get(path, 0)

    def take(self, truth):
        left = self.by_path.get(path_of(truth["target"]), [])
        same = [s for s in left if s["attributes"].get("gen_ai.request.model") == truth["model"]]
        span = next(iter(same or left), None)
        if span:
            left.remove(span)
        return span


class Cell:
    """One client over one carrier, all codings: one line of the test and one mark of the table for each dialect."""

    def __init__(self, client, carrier, at_server):
        self.client, self.carrier, self.at_server = client, carrier, at_server
        self.dialects = {}  # dialect: [calls checked, why not]

    def check(self, check, codings, tags, calls, truths, spans):
        for coding in codings:
            tag = tags[self.carrier, coding]
            said = [c for c in calls if has_tag(urllib.parse.urlsplit(c["base"]).path, tag)]
            sent = [t for t in truths if has_tag(t["target"], tag)]
            seen = [s for s in spans if has_tag(s["attributes"].get("url.path"), tag)]
            failed = [f"{call['call']}: {call['error']}" for call in said if "error" in call]
            if not check.equal(len(sent), len(said), f"{coding}: exchanges at the provider (the client: {failed})"):
                continue
            self.check_coding(check, coding, said, sent, self.ends(seen))

    def ends(self, seen):
        """[(where, its spans, their kind, the key of its truth)]: the client's, or both sides of the front."""
        if not self.at_server:
            return [("", Found(seen), KIND_CLIENT, "front")]
        plain = [s for s in seen if s["attributes"]["spantap.capture"] == "plain"]
        return [
            ("front", Found([s for s in seen if s not in plain]), KIND_SERVER, "front"),
            ("behind the front", Found(plain), KIND_CLIENT, None),
        ]

    def check_coding(self, check, coding, said, sent, ends):
        counted = {}
        for call, truth in together(said, sent):
            name, entry = f"{coding} {call['call']}", self.dialects.setdefault(truth["dialect"], [0, None])
            check_client(check, dict(call, call=name), truth.get("front", truth), self.carrier, coding)
            entry[1] = entry[1] or rows.undecoded(self.carrier, truth["dialect"])
            if entry[1]:
                continue
            for where, found, kind, key in ends:
                span, here = found.take(truth), f"{name} {where}".rstrip()
                if check.that(span, f"{here}: no span for {truth['target']}"):
                    check_span(check, here, span, truth.get(key, truth))
                    check.equal(span["kind"], kind, f"{here}: kind")
            entry[0] += 1
            path = path_of(truth["target"])
            counted[path] = counted.get(path, 0) + 1
        for path, count in counted.items():
            for where, found, _, _ in ends:
                check.equal(found.count(path), count, f"{coding} {where}: spans of {path}")


def run_traced(command, env):
    result, spans = spantap.run(command, env=env, timeout=CLIENT_TIMEOUT)
    return result, spans


def run_beside(command, env, front):
    """The client untraced, spantap at the front alone."""
    tracer = spantap.Spantap(str(front.pid), command="attach")
    try:
        ran = subprocess.run(
            command, env=env, timeout=CLIENT_TIMEOUT, capture_output=True, text=True, preexec_fn=proc._die_with_parent
        )
    finally:
        result = tracer.stop()
    if result.status == 0:
        result = spantap.Result(ran.returncode, ran.stdout, ran.stderr, result.summary)
    return result, tracer.spans()


def run_client(client, providers, carriers, at_server):
    """(what the client said, truths, spans, tags, result)"""
    missing, command = client.command()
    if missing:
        raise tap.Skip(missing)
    plan = targets(client, providers, carriers, at_server)
    providers.forget()
    env = fake.client_env(MATRIX=json.dumps([target for _, target in plan.values()]), NODE_DIR=paths.SDK_NODE_DIR)
    result, spans = run_beside(command, env, providers.front()) if at_server else run_traced(command, env)
    if result.status != 0:
        raise tap.Failed(f"the client failed: {result}\n{result.stdout[-2000:]}")
    calls = [json.loads(line) for line in result.stdout.splitlines() if line.startswith('{"base"')]
    tags = {key: tag for key, (tag, _) in plan.items()}
    truths = providers.truth() if client.is_direct else providers.truth_at_front()
    return calls, truths, [s for s in spans if spantap.is_model_call(s)], tags, result


def row_of(client, carrier, dialect, result):
    return {
        "package": client.package,
        "language": client.language,
        "version": client.version(),
        "client": client.name,
        "dialect": dialect,
        "carrier": carrier,
        "codings": list(client.codings),
        "result": result,
    }


def check_matrix(client, providers, report):
    results = []
    for at_server in (False, True):
        carriers = [c for c in client.carriers if client.at_server(c) == at_server]
        if carriers:
            results += check_carriers(client, providers, report, carriers, at_server)
    return results


def check_carriers(client, providers, report, carriers, at_server):
    results, where = [], " at the server" if at_server else ""
    try:
        calls, truths, spans, tags, result = run_client(client, providers, carriers, at_server)
    except tap.Skip as skip:
        report.line(True, client.title + where, skip=str(skip))
        return results
    except (tap.Failed, TimeoutError, subprocess.TimeoutExpired) as failure:
        report.line(False, client.title + where, str(failure))
        return [row_of(client, carrier, "?", "failed") for carrier in carriers]
    for carrier in carriers:
        cell, check = Cell(client, carrier, at_server), tap.Check()
        cell.check(check, client.codings, tags, calls, truths, spans)
        if not any(why for _, why in cell.dialects.values()):
            check.equal(spantap.balanced(result.summary), 0, "difference of the ledger")
        proven = sum(count for count, _ in cell.dialects.values())
        waits = sorted({why for _, why in cell.dialects.values() if why})
        name = f"{client.name} ({client.language}) over {carrier}{where}: {proven} calls ({', '.join(client.codings)})"
        report.line(not check.broken, name, "\n".join(check.broken[:40]), None if proven or check.broken else "; ".join(waits))
        for dialect, (_, why) in cell.dialects.items():
            verdict = "waits" if why else "failed" if any(check.broken) else "server" if at_server else "ok"
            results.append(row_of(client, carrier, dialect, verdict))
    return results


def compare(results, update, whole):
    """The results are those that README shows. A run of some clients leaves the others as they are."""
    with open(os.path.join(paths.BUILD, "matrix.json"), "w") as f:
        json.dump(results, f, indent=1)
    try:
        with open(RESULTS) as f:
            kept = json.load(f)
    except FileNotFoundError:
        kept = []
    ran = {(r["client"], r["language"], r["carrier"]) for r in results}
    known = {(c.name, c.language, carrier) for c in rows.CLIENTS for carrier in c.carriers}
    kept = [r for r in kept if (r["client"], r["language"], r["carrier"]) in known]
    mine = [r for r in kept if (r["client"], r["language"], r["carrier"]) in ran]
    if update:
        others = [r for r in kept if r not in mine]
        rows_now = sorted(others + results, key=lambda r: (r["language"], r["client"], r["carrier"], r["dialect"]))
        with open(RESULTS, "w") as f:
            json.dump(rows_now, f, indent=1)
            f.write("\n")
        return []
    results, mine = ({json.dumps(row, sort_keys=True) for row in each} for each in (results, mine))
    return sorted(results ^ mine)


def main():
    arguments = sys.argv[1:]
    update, everything = "--update" in arguments, "--all" in arguments
    names = [a for a in arguments if not a.startswith("--")]
    sys.stdout.reconfigure(errors="replace")
    report, results = tap.Tap(), []
    try:
        spantap.need_spantap()
        providers = Providers()
        for client in rows.CLIENTS:
            if (client.name in names) if names else (everything or not client.slow):
                results += check_matrix(client, providers, report)
        different = compare(results, update, not names)
        if different and not report.failed:
            report.line(False, "results.json holds what was found (matrix_test.py --update)", "\n".join(different[:20]))
        else:
            report.line(True, "results.json holds what was found")
    except tap.Skip as skip:
        report.line(True, "matrix", skip=str(skip))
    except tap.Failed as failure:
        report.line(False, "matrix", str(failure))
    return report.end()


if __name__ == "__main__":
    sys.exit(main())
