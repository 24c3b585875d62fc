#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Spool and MLflow sink against a real server: what arrives is right, once, and survives the server's death and ours."""

import os
import subprocess
import sys
import time

sys.path[:0] = [os.path.dirname(os.path.dirname(os.path.abspath(__file__))), os.path.dirname(os.path.abspath(__file__))]
import delivery_drive  # noqa: E402
from delivery_drive import Drive  # noqa: E402
from harness import mlflow, paths, proc, tap  # noqa: E402

SERVER = None
TOKENS = '{"input_tokens": 9, "output_tokens": 2, "total_tokens": 11}'


def setup():
    global SERVER
    if not os.access(paths.MLFLOW_PYTHON, os.X_OK):
        raise tap.Skip("no MLflow: run tests/setup/mlflow.sh")
    delivery_drive.setup()
    directory = proc.scratch("mlflow")
    SERVER = mlflow.Server(f"http://127.0.0.1:{proc.free_port()}", directory=directory).start()


def wrong(infos):
    """What is not as it should be in the trace infos of the driver's records."""
    out = []
    for info in infos:
        metadata, tags = info["trace_metadata"], info["tags"]
        got = {
            "state": info["state"],
            "name": tags.get("mlflow.traceName"),
            "tokens": metadata.get("mlflow.trace.tokenUsage"),
            "session": metadata.get("mlflow.trace.session"),
            "duration": info["execution_duration"],
            "answer": info.get("response_preview"),
            "question": info.get("request_preview", "").startswith("Question "),
        }
        good = {
            "state": "OK",
            "name": "Completions",
            "tokens": TOKENS,
            "session": "s-1",
            "duration": "1.500s",
            "answer": "Hello",
            "question": True,
        }
        out += [f"{info['trace_id']}: {k} is {v!r}" for k, v in got.items() if v != good[k]]
    return out


def run(check, count, name, first=0, **more):
    drive = Drive(SERVER.url, MLFLOW_EXPERIMENT_NAME=name)
    sums = drive.run(count, first=first, **more)
    return drive, sums, SERVER.search(SERVER.experiment_id(name))


def test_every_field_is_right_few_and_many(check):
    for name, count, first in (("few", 5, 0), ("many", 300, 1000)):
        _, sums, infos = run(check, count, name, first)
        check.equal((sums["delivered"], sums["dead"], len(infos)), (count, 0, count), f"{name}: sums")
        check.equal(wrong(infos), [], f"{name}: fields")
    spans = SERVER.spans(infos[0]["trace_id"])
    check.equal(len(spans), 1, "one span")
    check.equal(spans[0]["attributes"]["mlflow.spanInputs"]["model"], "gpt-4o-mini", "inputs are an object")
    found = SERVER.search(SERVER.experiment_id("few"), "span.type = 'CHAT_MODEL'")
    check.equal(len(found), 5, "found by span type")
    few = SERVER.search(SERVER.experiment_id("few"))[0]
    check.equal(few["trace_metadata"].get("mlflow.user"), "alice", "the user, while few wait")
    check.equal(sorted(t for t in few["tags"] if not t.startswith("mlflow.")), ["service.name"], "no other tags")


def test_sent_twice_it_counts_once(check):
    run(check, 20, "twice", 2000)
    _, sums, infos = run(check, 20, "twice", 2000)
    check.equal((sums["delivered"], len(infos)), (20, 20), "sums")
    check.equal(wrong(infos), [], "fields")


def test_a_poison_trace_in_ten_costs_one(check):
    for kind in ("utf8", "session", "deep"):
        first = 3000 + 100 * len(kind)
        drive, sums, infos = run(check, 10, f"poison-{kind}", first, poison=[(first + 4, kind)])
        check.equal((sums["delivered"], sums["dead"], sums["waiting"]), (9, 1, 0), f"{kind}: sums")
        poisoned = f"{first + 5:016x}"
        check.equal(wrong([i for i in infos if not i["trace_id"].endswith(poisoned)]), [], f"{kind}: the others")
        check.that("refused a trace for good" in drive.said, f"{kind}: told")


def test_the_server_dies_and_comes_back(check):
    drive = Drive(SERVER.url, MLFLOW_EXPERIMENT_NAME="restart")
    command = drive.command(400, first=5000, drain=60000, more=["--size", "4000"])
    child = subprocess.Popen(command, env=drive.env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(0.7)
    SERVER.kill()
    time.sleep(1)
    SERVER.start()
    out, said = child.communicate(timeout=90)
    check.that(b'"delivered":400,"waiting":0,"dead":0' in out, f"all delivered: {out!r}\n{said.decode()[-800:]}")
    infos = SERVER.search(SERVER.experiment_id("restart"))
    check.equal(len(infos), 400, "traces at the server")
    check.equal(wrong(infos), [], "fields")


def test_a_deleted_experiment_gets_nothing_and_says_so(check):
    _, number = SERVER.experiment("gone")
    SERVER.call("POST", "/api/2.0/mlflow/experiments/delete", {"experiment_id": number})
    drive = Drive(SERVER.url, MLFLOW_EXPERIMENT_NAME="gone")
    sums = drive.run(3, first=6000, drain=1500)
    check.equal((sums["waiting"], sums["dead"]), (3, 0), "they wait")
    check.that("is deleted" in drive.said, "told")
    SERVER.call("POST", "/api/2.0/mlflow/experiments/restore", {"experiment_id": number})
    check.equal((drive.run(0)["delivered"], len(SERVER.search(number))), (3, 3), "after the restoration they arrive")


def test_an_experiment_that_does_not_exist_is_named(check):
    drive = Drive(SERVER.url, MLFLOW_EXPERIMENT_ID="424242")
    sums = drive.run(2, first=7000, drain=1000)
    check.equal((sums["waiting"], sums["dead"]), (2, 0), "they wait")
    check.that("has no experiment 424242" in drive.said, "told")


def test_a_thousand_traces_arrive_in_time(check):
    begun = time.monotonic()
    _, sums, infos = run(check, 1000, "bulk", 10000, more=["--size", "3000"])
    seconds = time.monotonic() - begun
    check.equal((sums["delivered"], len(infos)), (1000, 1000), "sums")
    check.note(f"{1000 / seconds:.0f} traces/s")
    check.that(seconds < 30, f"{seconds:.1f} s")


if __name__ == "__main__":
    tap.main(sys.modules["__main__"], setup)
