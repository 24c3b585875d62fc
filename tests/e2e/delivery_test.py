#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Delivery to servers that fail, refuse, or lie: every trace arrives once, or is named with the reason why not."""

import json
import os
import subprocess
import sys

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [TESTS, os.path.join(TESTS, "fake")]
from flaky import Flaky  # noqa: E402
from harness import fake, mlflow, paths, proc, spantap, tap  # noqa: E402
from harness.steps import CLIENTS, tag_of  # noqa: E402

PROVIDER = None


def setup():
    global PROVIDER
    spantap.need_spantap()
    PROVIDER = fake.Provider()


def calls(count, prefix):
    return "".join(f"call /v1/chat/completions {prefix}-{i}\n" for i in range(count)).encode()


def run(url, experiment, steps, *args, state=None, **more):
    client = [sys.executable, os.path.join(CLIENTS, "steps.py"), f"localhost:{PROVIDER.tls_port}", PROVIDER.ca]
    return spantap.run(
        client,
        *args,
        server=mlflow.Server(url),
        experiment=experiment,
        stdin=steps,
        state=state,
        otlp=False,
        env=fake.client_env(),
        timeout=100,
        **more,
    )[0]


def delivered(server, number):
    return sorted(str(tag_of(s)) for t in server.traces(number) for s in t["spans"] if not s["parent_span_id"])


def wanted(count, prefix):
    return sorted(f"{prefix}-{i}" for i in range(count))


def otlp_faults(*faults):
    """A fault for each write of traces, in turn; afterwards all is well."""
    left = list(faults)

    def fault(method, path, body):
        writes = path.startswith("/v1/traces") or path == "/api/3.0/mlflow/traces"
        return left.pop(0) if method == "POST" and writes and left else None

    return fault


def through(check, name, *faults, most=90):
    server = mlflow.shared()
    experiment, number = server.experiment()
    flaky = Flaky(server.url, otlp_faults(*faults))
    result = run(flaky.url, experiment, calls(12, name), "--drain", str(most))
    flaky.stop()
    check.equal(delivered(server, number), wanted(12, name), "calls delivered, each once")
    check.equal(
        result.summary["records"]["waiting"] + result.summary["records"]["dead"], 0, "records that were not delivered"
    )
    check.that(all(f in [s[2] for s in flaky.seen] for f in faults), "not every fault was met")
    return flaky


def test_busy_servers_are_asked_again(check):
    through(check, "busy", (503, {}), (429, {"Retry-After": "1"}), (500, {}), (502, {}), (504, {}))


def test_an_answer_that_never_came_does_not_double_a_trace(check):
    through(check, "swallow", "swallow", "swallow", "drop", "swallow")


def test_a_server_that_hangs_up_is_asked_again(check):
    through(check, "drop", "drop", "drop", "drop")


def test_one_poisoned_trace_does_not_take_the_others_with_it(check):
    """The server refuses for good whatever holds a certain word; the batch is bisected, the one trace is kept with
    the reason."""
    server = mlflow.shared()
    experiment, number = server.experiment()
    flaky = Flaky(
        server.url, lambda method, path, body: (400, {}) if method == "POST" and b"[poison-7]" in body else None
    )
    state = os.path.join(proc.scratch("state"), "s")
    holder = spantap.Spantap(
        "--pid", str(os.getpid()), server=mlflow.Server(flaky.url), experiment=experiment, state=state
    )
    client = [sys.executable, os.path.join(CLIENTS, "steps.py"), f"localhost:{PROVIDER.tls_port}", PROVIDER.ca]
    subprocess.run(client, input=calls(20, "poison"), env=fake.client_env(), stdout=subprocess.DEVNULL, check=True)
    holder.wait_spans(20)
    proc.wait_for("the other 19", lambda: len(server.search(number)) >= 19, 60)
    result = holder.stop()
    check.equal(delivered(server, number), [t for t in wanted(20, "poison") if t != "poison-7"], "calls delivered")
    check.equal(result.summary["records"]["dead"], 1, "dead records")
    said = subprocess.run(
        [paths.SPANTAP, "spool", "dead", "--json", "--state-dir", state], capture_output=True, text=True
    )
    check.that(
        "400" in said.stdout and "made by the test" in said.stdout,
        f"spool dead names the reason: {said.stdout[:500]}{said.stderr}",
    )
    flaky.stop()
    flaky = Flaky(server.url, lambda *_: None)
    retried = subprocess.run([paths.SPANTAP, "spool", "retry", "--state-dir", state], capture_output=True, text=True)
    check.equal(retried.returncode, 0, f"status of spool retry ({retried.stderr})")
    flaky.stop()


HOSTILE = {
    "lone surrogate": '{"model":"m","messages":[{"role":"user","content":"[hostile-0] \\ud800 x"}]}',
    "NUL": '{"model":"m","messages":[{"role":"user","content":"[hostile-1] \\u0000 x"}]}',
    "invalid UTF-8": b'{"model":"m","messages":[{"role":"user","content":"[hostile-2] \xff\xfe\xc3 x"}]}',
    "1200 levels": '{"model":"m","messages":[{"role":"user","content":"[hostile-3]"}],"metadata":'
    + "[" * 1200
    + "]" * 1200
    + "}",
    "big numbers": '{"model":"m","messages":[{"role":"user","content":"[hostile-4]"}],"seed":12345678901234567890}',
    "repeated keys": '{"model":"m","model":"n","messages":[{"role":"user","content":"[hostile-5]"}]}',
    "surrogate in the model": '{"model":"m\\ud800","messages":[{"role":"user","content":"[hostile-6]"}]}',
    "long session": '{"model":"m","messages":[{"role":"user","content":"[hostile-7]"}],"user":"' + "u" * 5000 + '"}',
    "pretty": json.dumps(
        {"model": "m", "messages": [{"role": "user", "content": "[hostile-8] \u2028 \U0001f600"}]},
        indent=4,
        ensure_ascii=True,
    ),
}


def test_hostile_values_are_cleaned_and_arrive(check):
    server = mlflow.shared()
    experiment, number = server.experiment()
    directory = proc.scratch("hostile")
    script = []
    for i, body in enumerate(HOSTILE.values()):
        with open(os.path.join(directory, str(i)), "wb") as f:
            f.write(body if isinstance(body, bytes) else body.encode())
        script.append(
            f"curl --silent --http1.1 --data-binary @{directory}/{i} -H 'Content-Type: application/json' "
            f"{PROVIDER.url()}/v1/chat/completions >/dev/null"
        )
    result, spans = spantap.run(
        ["sh", "-c", "; ".join(script)], server=server, experiment=experiment, env=fake.client_env()
    )
    check.equal(result.summary["records"]["dead"], 0, "dead records")
    check.equal(len(spans), len(HOSTILE), "spans in the otlp-file")
    found = json.dumps(server.traces(number))
    for i, name in enumerate(HOSTILE):
        check.that(f"[hostile-{i}]" in found, f"a call with {name} did not arrive")


def test_an_experiment_is_made_by_its_name_and_found_again(check):
    server, name = mlflow.shared(), f"made-{os.getpid()}"
    for i in range(2):
        check.equal(run(server.url, name, calls(1, f"made{'ab'[i]}")).status, 0, "status")
    number = server.experiment_id(name)
    check.must(number, "the experiment was not made")
    check.equal(len(server.search(number)), 2, "traces in it")


def test_an_unknown_experiment_id_is_named(check):
    server = mlflow.shared()
    result, _ = spantap.run(["true"], "--experiment-id", "987654", server=server, otlp=False)
    check.that("987654" in result.stderr, f"stderr names it: {result.stderr[-500:]}")


def test_a_deleted_experiment_is_told_or_restored(check):
    """It keeps its name and goes on taking traces that nobody can see."""
    server = mlflow.shared()
    experiment, number = server.experiment()
    server.call("POST", "/api/2.0/mlflow/experiments/delete", {"experiment_id": number})
    result = run(server.url, experiment, calls(1, "deleted"), "--drain", "2")
    stage = server.call("GET", f"/api/2.0/mlflow/experiments/get?experiment_id={number}")["experiment"][
        "lifecycle_stage"
    ]
    check.that(stage == "active" or "deleted" in result.stderr, f"{stage}, and stderr says {result.stderr[-500:]}")


def test_capture_is_not_slowed_by_a_server_that_hangs(check):
    server = mlflow.shared()
    experiment, _ = server.experiment()
    flaky = Flaky(server.url, lambda method, path, body: "hang" if path.startswith("/v1/traces") else None)
    result = run(flaky.url, experiment, calls(200, "hang"), "--drain", "1")
    flaky.stop()
    check.equal(result.summary["calls"], 200, "calls")
    check.equal(result.summary["incomplete"], 0, "incomplete calls")
    check.equal(result.summary["records"]["waiting"], 200, "records waiting")
    check.that("200" in result.stderr, "the number that waits is said on stderr")


if __name__ == "__main__":
    tap.main(sys.modules[__name__], setup)
