#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Every way in which a back end can fail: nothing is lost, nothing that is good is buried, the user is told what to do."""

import json
import os
import subprocess
import sys
import time

sys.path[:0] = [os.path.dirname(os.path.dirname(os.path.abspath(__file__))), os.path.dirname(os.path.abspath(__file__))]
import delivery_drive  # noqa: E402
from delivery_drive import Drive, Fake, is_export  # noqa: E402
from harness import proc, tap  # noqa: E402

COUNT = 12
ALL = set(range(COUNT))


def first(times, what, when=is_export):
    """A fault of the first @times requests of a kind."""
    left = [times]

    def fault(request):
        if not when(request) or not left[0]:
            return None
        left[0] -= 1
        return what

    return fault


def heals(check, kind, what, times=2, when=is_export):
    fake = Fake(first(times, what, when))
    url = fake.url if kind == "mlflow" else fake.url + "/v1/traces"
    sums = Drive(url, kind).run(COUNT)
    name = f"{kind} after {times} × {what}"
    check.equal(set(fake.taken), ALL, f"{name}: records at the server")
    check.equal((sums["delivered"], sums["dead"], sums["waiting"]), (COUNT, 0, 0), f"{name}: sums")
    fake.close()


def test_what_passes_costs_nothing(check):
    for kind in ("mlflow", "otlp"):
        for what in (408, 422, 429, 500, 502, 503, 504, "half", "reset", "drop"):
            heals(check, kind, what, times=1 if kind == "otlp" else 2)


def test_a_server_that_is_not_well_at_the_start_is_waited_for(check):
    for what in (503, "reset"):
        heals(check, "mlflow", what, 1, lambda r: "/version" in r["path"])
        heals(check, "mlflow", what, 1, lambda r: "/experiments/" in r["path"])
        heals(check, "mlflow", what, 1, lambda r: r["path"] == "/api/3.0/mlflow/traces")


def blocked(check, status, hint, kind="mlflow", body=b"{}", when=is_export):
    fake = Fake(first(10**6, (status, {}, body), when))
    url = fake.url if kind == "mlflow" else fake.url + "/v1/traces"
    drive = Drive(url, kind)
    sums = drive.run(COUNT, drain=1500)
    check.equal((sums["waiting"], sums["dead"], sums["drained"]), (COUNT, 0, False), f"{kind} {status}: sums")
    check.that(hint in drive.said, f"{kind} {status}: the hint '{hint}' in {drive.said!r}")
    check.that(drive.said.count(hint) <= 2, f"{kind} {status}: told once")
    check.that(len(fake.paths("/v1/traces")) <= 2, f"{kind} {status}: does not hammer")
    fake.fault = lambda r: None
    sums = drive.run(0)
    check.equal((set(fake.taken), sums["delivered"]), (ALL, COUNT), f"{kind} {status}: the next start delivers")
    fake.close()


def test_what_a_person_must_mend_is_told_and_waited_for(check):
    blocked(check, 401, "MLFLOW_TRACKING_USERNAME")
    blocked(check, 403, "permission")
    blocked(check, 403, "--allowed-hosts", body=b"Invalid Host header - possible DNS rebinding attack detected")
    blocked(check, 404, "no /v1/traces")
    blocked(check, 404, "check the tracking URI", when=lambda r: "/version" in r["path"])
    blocked(check, 401, "OTEL_EXPORTER_OTLP_HEADERS", "otlp")
    blocked(check, 404, "check the URL", "otlp")


def test_a_server_that_hangs_holds_nobody(check):
    fake = Fake(first(1, "hang"))
    drive, begun = Drive(fake.url), time.monotonic()
    sums = drive.run(COUNT, drain=1000)
    check.that(time.monotonic() - begun < 8, "ends when its drain ends")
    check.equal((sums["waiting"], sums["drained"]), (COUNT, False), "sums")
    check.equal((drive.run(0)["delivered"], set(fake.taken)), (COUNT, ALL), "the next start delivers")
    fake.close()


def test_nobody_at_home(check):
    fake = Fake()
    fake.close()
    drive = Drive(fake.url)
    sums = drive.run(COUNT, drain=1500)
    check.equal((sums["waiting"], sums["dead"]), (COUNT, 0), "sums")
    check.equal(drive.said.count("cannot reach"), 1, "told once")


def test_retry_after_is_honoured(check):
    fake = Fake(first(1, (429, {"Retry-After": "3"}, b"{}")))
    Drive(fake.url).run(COUNT)
    times = [r["time"] for r in fake.requests if is_export(r)]
    check.that(times[1] - times[0] >= 2.9, f"{times[1] - times[0]:.1f} s instead of 3")
    fake.close()


def poison(check, kind, number, status, body):
    def fault(request):
        return (status, {}, body) if number in request["numbers"] else None

    fake = Fake(fault)
    url = fake.url if kind == "mlflow" else fake.url + "/v1/traces"
    sums = Drive(url, kind).run(COUNT)
    name = f"{kind}, {status} for record {number}"
    check.equal((sums["delivered"], sums["dead"], sums["waiting"]), (COUNT - 1, 1, 0), f"{name}: sums")
    check.equal(set(fake.taken), ALL - {number}, f"{name}: the others")
    check.equal(set(fake.taken.values()), {1}, f"{name}: each once")
    fake.close()


def test_a_poison_trace_costs_one_trace(check):
    for number in (0, 5, COUNT - 1):
        poison(check, "mlflow", number, 400, b'{"error_code":"INVALID_PARAMETER_VALUE","message":"bad"}')
        poison(check, "otlp", number, 400, b"")
    poison(check, "mlflow", 5, 422, b'{"detail":"Failed to log OpenTelemetry spans"}')
    poison(check, "mlflow", COUNT - 1, 500, b'{"error_code":"INTERNAL_ERROR"}')


def test_a_server_in_trouble_buries_nobody(check):
    for status, body in (
        (500, b'{"error_code":"INTERNAL_ERROR"}'),
        (422, b'{"detail":"x"}'),
        (400, b"<html>proxy</html>"),
    ):
        fake = Fake(first(10**6, (status, {}, body)))
        sums = Drive(fake.url).run(COUNT, drain=6000)
        check.equal((sums["waiting"], sums["dead"]), (COUNT, 0), f"{status} for everything")
        fake.close()


def test_a_proxy_with_a_limit_gets_smaller_requests(check):
    for kind in ("mlflow", "otlp"):
        fake = Fake(lambda r: 413 if len(r["numbers"]) > 3 else None)
        sums = Drive(fake.url if kind == "mlflow" else fake.url + "/v1/traces", kind).run(40)
        check.equal((sums["delivered"], sums["dead"], set(fake.taken.values())), (40, 0, {1}), f"{kind}: sums")
        fake.close()
        fake = Fake(lambda r: 413 if 4 in r["numbers"] else None)
        sums = Drive(fake.url if kind == "mlflow" else fake.url + "/v1/traces", kind).run(COUNT)
        check.equal((sums["delivered"], sums["dead"]), (COUNT - 1, 1), f"{kind}: one that is too large alone")
        fake.close()


def test_partial_success_is_counted_as_refused(check):
    message = b"span too old"
    for reply in (
        b"\x0a" + bytes([4 + len(message)]) + b"\x08\x01\x12" + bytes([len(message)]) + message,
        b'{"partialSuccess":{"rejectedSpans":"1","errorMessage":"span too old"}}',
    ):
        fake = Fake()
        fake.otlp_reply = reply
        drive = Drive(fake.url + "/v1/traces", "otlp")
        sums = drive.run(1)
        check.equal((sums["delivered"], sums["dead"]), (0, 1), "sums")
        check.that("span too old" in drive.said, "the reason")
        fake.close()


def test_the_order_is_the_one_that_each_version_needs(check):
    def kinds(version, count):
        fake = Fake(version=version)
        Drive(fake.url).run(count)
        fake.close()
        return ["S" if not is_export(r) else "O" for r in fake.requests if r["path"].endswith("traces")]

    check.equal(kinds("3.17.2", 3), ["O", "S", "S", "S"], "3.17, few: no row of a trace whose spans are refused")
    check.equal(set(kinds("3.17.2", 600)), {"O"}, "3.17, many")
    check.equal(kinds("3.13.0", 3), ["S", "S", "S", "O"], "3.13")
    check.equal(kinds("3.9.0", 3), ["O", "S", "S", "S"], "3.9")


def test_before_3_12_spans_that_were_taken_are_not_sent_again(check):
    fake = Fake(first(1, 503, lambda r: r["path"] == "/api/3.0/mlflow/traces"), version="3.9.0")
    sums = Drive(fake.url).run(COUNT)
    check.equal((sums["delivered"], set(fake.taken.values())), (COUNT, {1}), "each once")
    fake.close()


def test_a_server_that_is_too_old_is_named(check):
    fake = Fake(version="3.7.0")
    drive = Drive(fake.url)
    sums = drive.run(COUNT, drain=1000)
    check.equal((sums["waiting"], sums["dead"], len(fake.paths("/v1/traces"))), (COUNT, 0, 0), "sums")
    check.that("3.7" in drive.said and "3.8 or newer" in drive.said, "both versions")
    fake.close()


def test_the_prefix_is_found_in_every_version(check):
    for version, prefix_holds in (("3.17.2", True), ("3.14.0", False), ("3.17.2", False), ("3.14.0", True)):
        export = ("/p" if prefix_holds else "") + "/v1/traces"
        fake = Fake(lambda r: 404 if is_export(r) and r["path"] != export else None, version, "/p")
        sums = Drive(fake.url + "/").run(COUNT)
        check.equal((sums["delivered"], set(fake.taken)), (COUNT, ALL), f"{version}, {export}")
        fake.close()


def test_a_deleted_experiment_is_never_written_to(check):
    fake = Fake()
    fake.lifecycle = "deleted"
    drive = Drive(fake.url)
    sums = drive.run(COUNT, drain=1000)
    check.equal((sums["waiting"], fake.taken), (COUNT, {}), "nothing sent")
    check.that("is deleted: restore it" in drive.said, "the remedy")
    fake.close()


def test_an_experiment_is_made_by_name_for_generative_ai(check):
    fake = Fake()
    Drive(fake.url, MLFLOW_EXPERIMENT_NAME="agents / ü&=").run(COUNT)
    made = fake.paths("/experiments/create")
    check.equal(len(made), 1, "created once")
    check.that(b"genai_development" in made[0]["body"], "its kind")
    check.equal(fake.paths("/v1/traces")[0]["headers"].get("x-mlflow-experiment-id"), "7", "its id")
    fake.close()


def test_credentials_go_only_where_they_belong(check):
    fake = Fake()
    drive = Drive(
        fake.url, MLFLOW_TRACKING_USERNAME="me", MLFLOW_TRACKING_PASSWORD="pa:ss", MLFLOW_TRACKING_TOKEN="tok"
    )
    drive.run(1)
    check.that(
        all(r["headers"].get("Authorization") == "Basic bWU6cGE6c3M=" for r in fake.requests), "Basic everywhere"
    )
    drive = Drive(fake.url, MLFLOW_TRACKING_TOKEN="tok")
    drive.run(1)
    check.equal(fake.requests[-1]["headers"].get("authorization"), "Bearer tok", "Bearer")
    drive = Drive(fake.url.replace("://", "://me:sesame@"))
    drive.run(1)
    check.that("sesame" not in drive.said, "not in the log")
    with open(drive.spool, "rb") as f:
        check.that(b"sesame" not in f.read(), "not in the spool")
    fake.close()


def test_the_families_get_what_is_theirs(check):
    fake = Fake()
    Drive(fake.url).run(1)
    body = fake.paths("/v1/traces")[-1]["body"]
    check.that(b"mlflow.spanInputs" in body and b"gen_ai.input.messages" not in body, "MLflow's attributes")
    check.that(b"service.name" in body and b"secret.resource" not in body, "MLflow's resource")
    check.that(b"Completions" in body, "MLflow's span name")
    Drive(fake.url, "otlp", DRIVE_OTLP_HEADER="x-key: 1").run(1)
    request = fake.paths("/v1/traces")[-1]
    check.that(b"mlflow." not in request["body"] and b"gen_ai.input.messages" in request["body"], "OTLP's attributes")
    check.that(b"chat gpt-4o-mini" in request["body"], "OTLP's span name")
    check.equal(request["headers"].get("x-key"), "1", "OTLP's headers")
    fake.close()


def test_a_full_queue_sheds_and_says_how_much(check):
    fake = Fake()
    sums = Drive(fake.url).run(1000, more=["--size", "100000", "--queue", "1000000"])
    check.that(sums["shed"] > 0, "something was shed")
    check.equal(sums["put"] + sums["shed"], 1000, "put and shed")
    check.equal((sums["delivered"], len(fake.taken)), (sums["put"], sums["put"]), "what was put is delivered")
    fake.close()


def test_a_full_spool_waits_for_room(check):
    fake = Fake(first(10**6, 503))
    drive = Drive(fake.url)
    command = drive.command(60, more=["--size", "20", "--spool-max", "20000", "--hold"])
    child = subprocess.Popen(
        command, env=drive.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    child.stdout.readline()
    time.sleep(1.5)
    fake.fault = lambda r: None
    out, said = child.communicate(timeout=60)
    check.that(b"keeping records in memory" in said, "told")
    check.that(b'"delivered":60,"waiting":0,"dead":0' in out, f"all arrive in the end: {out!r} {said[-600:]!r}")
    check.equal(set(fake.taken), set(range(60)), "at the server")
    fake.close()


def test_a_spool_that_is_damaged_under_us_leaves_no_hole_in_the_sums(check):
    fake = Fake(first(10**6, 503))
    drive = Drive(fake.url)
    command = drive.command(6000, more=["--hold", "--size", "30000", "--queue", "900000000"])
    child = subprocess.Popen(
        command, env=drive.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    child.stdout.readline()
    proc.wait_for("a spool larger than SQLite's cache", lambda: os.path.getsize(drive.spool) > 4 << 20, 40)
    time.sleep(2)
    for path, keep in ((drive.spool, 8192), (drive.spool + "-wal", 32)):
        with open(path, "r+b") as f:
            size = f.seek(0, os.SEEK_END)
            f.seek(keep)
            f.write(os.urandom(max(0, size - keep)))
    fake.fault = lambda r: None
    out, said = child.communicate(timeout=60)
    sums = json.loads(out.splitlines()[-1])
    check.that(sums["set_aside"] > 0 and b"is damaged, setting it aside" in said, f"told: {sums} {said[-500:]!r}")
    known = sums["delivered"] + sums["waiting"] + sums["dead"] + sums["set_aside"]
    check.equal((sums["put"], known), (6000, 6000), f"every record has its place in {sums}")
    check.equal(drive.run(5, first=90000)["delivered"], 5, "and it goes on")
    check.that(drive.run(0)["boot"] > 10**6, "with start numbers that never were")
    fake.close()


def test_killed_at_any_time_nothing_that_was_committed_is_lost(check):
    fake = Fake(lambda r: time.sleep(0.02))
    drive = Drive(fake.url)
    committed = 0
    for i in range(12):
        command = drive.command(20, first=committed, more=["--hold"])
        child = subprocess.Popen(
            command, env=drive.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        child.stdout.readline()
        time.sleep(0.08 + 0.03 * i)
        child.kill()
        child.wait()
        committed += 20
    # The last ones before a kill may have been in memory only: what the spool holds is what counts.
    waiting = drive.run(0, drain=0)["waiting"] + len(fake.taken)
    sums = drive.run(0)
    check.equal((sums["waiting"], sums["dead"]), (0, 0), "nothing waits")
    check.that(len(fake.taken) >= 200, f"{len(fake.taken)} of {committed} arrived; {waiting} were known")


if __name__ == "__main__":
    tap.main(sys.modules["__main__"], delivery_drive.setup)
