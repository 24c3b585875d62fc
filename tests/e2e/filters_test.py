#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Filters choose processes; what is no model call gives no span; what is secret goes nowhere."""

import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import fake, mlflow, proc, spantap, tap  # noqa: E402
from harness.steps import Load, tag_of  # noqa: E402

PROVIDER = None


def setup():
    global PROVIDER
    spantap.need_spantap()
    PROVIDER = fake.Provider(plain=True)


def curl_as(name):
    """curl under another name: comm is the name that was executed, and the file is another one too."""
    path = os.path.join(proc.scratch("bin"), name)
    shutil.copy(shutil.which("curl"), path)
    return path


def arguments(tag):
    body = json.dumps({"model": "gpt-4o-mini", "messages": [{"role": "user", "content": f"[{tag}] hello"}]})
    return [
        "--silent",
        "--http1.1",
        "--max-time",
        "20",
        "--data-binary",
        body,
        "--header",
        "Content-Type: application/json",
        PROVIDER.url() + "/v1/chat/completions",
    ]


def call(curl, tag):
    subprocess.run([curl, *arguments(tag)], env=fake.client_env(), stdout=subprocess.DEVNULL, check=True)


def seen(tracer, *expected):
    """The tags captured. Each test calls what is not to be seen before what is: order tells when all has been looked
    at."""
    tracer.wait_spans(len(expected), where=lambda s: tag_of(s) in expected)
    tracer.stop()
    return sorted({str(tag_of(s)) for s in tracer.spans()})


def test_by_name_with_a_glob(check):
    alpha, beta = curl_as("alpha-agent"), curl_as("beta-agent")
    tracer = spantap.Spantap("--comm", "alpha*")
    call(beta, "beta-1")
    call(alpha, "alpha-1")
    check.equal(seen(tracer, "alpha-1"), ["alpha-1"], "calls captured")


def test_by_executable(check):
    alpha, beta = curl_as("gamma"), curl_as("delta")
    tracer = spantap.Spantap("--exe", alpha)
    call(beta, "delta-1")
    call(alpha, "gamma-1")
    check.equal(seen(tracer, "gamma-1"), ["gamma-1"], "calls captured")


def test_by_exclusion(check):
    alpha, beta = curl_as("epsilon"), curl_as("zeta")
    tracer = spantap.Spantap("--comm", "epsilon", "--comm", "zeta", "--exclude-exe", beta)
    call(beta, "zeta-1")
    call(alpha, "epsilon-1")
    check.equal(seen(tracer, "epsilon-1"), ["epsilon-1"], "calls captured")


def test_by_user(check):
    curl = curl_as("eta")
    os.chmod(os.path.dirname(curl), 0o755)
    tracer = spantap.Spantap("--uid", "65534", "--exclude-pid", str(PROVIDER.pid))
    call("curl", "root-1")
    body = '{"model":"m","messages":[{"role":"user","content":"[nobody-1] x"}]}'
    subprocess.run(
        [
            "setpriv",
            "--reuid",
            "65534",
            "--regid",
            "65534",
            "--clear-groups",
            "curl",
            "--silent",
            "--insecure",
            "--http1.1",
            "--data-binary",
            body,
            PROVIDER.url() + "/v1/chat/completions",
        ],
        stdout=subprocess.DEVNULL,
        check=True,
        cwd="/",
    )
    check.equal(seen(tracer, "nobody-1"), ["nobody-1"], "calls captured")


def test_by_pid_with_later_children(check):
    shell = proc.Process(["sh", "-c", 'read line; eval "$line"'], "shell", stdin=subprocess.PIPE, env=fake.client_env())
    tracer = spantap.Spantap("--pid", str(shell.pid))
    call("curl", "outside-1")
    body = '{"model":"m","messages":[{"role":"user","content":"[inside-1] x"}]}'
    shell.popen.stdin.write(
        f"curl --silent --http1.1 --data-binary '{body}' {PROVIDER.url()}/v1/chat/completions\n".encode()
    )
    shell.popen.stdin.close()
    shell.wait()
    check.equal(seen(tracer, "inside-1"), ["inside-1"], "calls captured")


def test_processes_that_ran_before_are_chosen_and_left_out_too(check):
    mine, other = Load(PROVIDER, 20, "mine").go(), Load(PROVIDER, 20, "other").go()
    proc.wait_for("both", lambda: mine.made() and other.made())
    tracer = spantap.Spantap("--pid", str(mine.pid))
    before = len(other.made())
    proc.wait_for("calls of both", lambda: len(other.made()) > before + 20)
    mine.stop()
    other.stop()
    tracer.stop()
    check.equal({s["attributes"].get("process.pid") for s in tracer.spans()}, {mine.pid}, "whose calls were captured")
    check.that(not any("other" in str(tag_of(s)) for s in tracer.spans()), "calls of the other are not among them")


def late(check, calls, expected, *options):
    """The tracer's privileged half stands still while short processes make their calls: all are gone when it looks."""
    tracer = spantap.Spantap(*options)
    os.kill(tracer.process.pid, signal.SIGSTOP)
    try:
        for curl, tag in calls:
            call(curl, tag)
        time.sleep(1)
        check.equal([tag_of(s) for s in tracer.spans()], [], "calls told before anyone could look")
    finally:
        os.kill(tracer.process.pid, signal.SIGCONT)
    check.equal(seen(tracer, *expected), expected, "calls captured")
    check.equal(tracer.summary()["calls"], len(expected), "calls counted")


def test_who_is_gone_before_anyone_looked_is_judged_by_what_it_was(check):
    iota, kappa = curl_as("iota"), curl_as("kappa")
    calls = [(kappa, f"kappa-{i}") for i in range(10)] + [(iota, f"iota-{i}") for i in range(5)]
    mine = [f"iota-{i}" for i in range(5)]
    for options in (
        ["--comm", "iota"],
        ["--exe", iota],
        ["--exclude-exe", kappa, "--exclude-pid", str(PROVIDER.pid), "--uid", "0", "--comm", "[ik]*a"],
    ):
        late(check, calls, mine, *options)


def test_who_comes_from_a_process_is_its_child_even_when_it_is_gone(check):
    late(check, [("curl", "child-1")], ["child-1"], "--pid", str(os.getpid()), "--exclude-pid", str(PROVIDER.pid))


def test_a_process_is_judged_by_the_program_that_calls(check):
    """One number, one process, two programs: the first is what the second is not."""
    lamda, mu = curl_as("lamda"), curl_as("mu")
    script = os.path.join(proc.scratch("bin"), "nu")
    with open(script, "w") as f:
        f.write(f"#!/bin/sh\nexec {mu} \"$@\"\n")
    os.chmod(script, 0o755)
    env = os.path.join(os.path.dirname(script), "env-of-it")
    shutil.copy(shutil.which("env"), env)
    tracer = spantap.Spantap("--comm", "nu", "--comm", "lamda")
    for i in range(10):
        call(script, f"mu-{i}")
        subprocess.run([env, lamda, *arguments(f"lamda-{i}")], env=fake.client_env(), stdout=subprocess.DEVNULL)
    expected = sorted(f"lamda-{i}" for i in range(10))
    check.equal(seen(tracer, *expected), expected, "calls captured")


def test_a_recording_tells_who_was_wanted(check):
    """A recording made with filters gives no more than a live run does."""
    rho, sigma = curl_as("rho"), curl_as("sigma")
    path = os.path.join(proc.scratch("recording"), "file")
    tracer = spantap.Spantap("--comm", "rho", path, command="record", otlp=False)
    os.kill(tracer.process.pid, signal.SIGSTOP)
    for curl, tag in ((sigma, "sigma-1"), (rho, "rho-1"), (sigma, "sigma-2")):
        call(curl, tag)
    time.sleep(0.5)
    os.kill(tracer.process.pid, signal.SIGCONT)
    call(sigma, "sigma-3")
    call(rho, "rho-2")
    check.equal(tracer.stop().status, 0, "status")
    _, spans = spantap.run(None, path, command="replay")
    check.equal(sorted(str(tag_of(s)) for s in spans), ["rho-1", "rho-2"], "calls of the replay")


def test_many_short_processes_at_once_are_told_apart(check):
    xi, omicron = curl_as("xi"), curl_as("omicron")
    tracer = spantap.Spantap("--comm", "xi")
    for i in range(4):
        crowd = [
            subprocess.Popen(
                [curl, *arguments(f"{name}-{i}{n:02d}")], env=fake.client_env(), stdout=subprocess.DEVNULL
            )
            for n in range(25)
            for curl, name in ((omicron, "omicron"), (xi, "xi"))
        ]
        check.equal([c.wait(60) for c in crowd], [0] * 50, "how they ended")
    expected = sorted(f"xi-{i}{n:02d}" for i in range(4) for n in range(25))
    check.equal(seen(tracer, *expected), expected, "calls captured")


def test_a_command_is_filtered_among_its_own_alone(check):
    """What runs beside it is not chosen, and what it runs is seen from its first moment."""
    pi = curl_as("pi")
    line = " ".join(f"'{word}'" for word in arguments("inner-1"))
    outside = f"while :; do {pi} {' '.join(repr(w) for w in arguments('outside-1'))} >/dev/null; done"
    beside = proc.Process(["sh", "-c", outside], "beside", env=fake.client_env())
    result, spans = spantap.run(
        ["sh", "-c", f"curl {line.replace('inner-1', 'wrong-1')} && {pi} {line}"],
        "--comm",
        "pi",
        env=fake.client_env(),
    )
    beside.stop()
    check.equal([tag_of(s) for s in spans], ["inner-1"], f"calls captured: {result}")


def test_by_cgroup(check):
    if not os.path.exists("/sys/fs/cgroup/cgroup.procs"):
        raise tap.Skip("no cgroup v2")
    group = f"/sys/fs/cgroup/spantap-test-{os.getpid()}"
    try:
        os.mkdir(group)
    except OSError as e:
        raise tap.Skip(f"no cgroup can be made: {e}") from None
    try:
        tracer = spantap.Spantap("--cgroup", f"*{os.path.basename(group)}*")
        call("curl", "nogroup-1")
        body = '{"model":"m","messages":[{"role":"user","content":"[group-1] x"}]}'
        subprocess.run(
            [
                "sh",
                "-c",
                f"echo $$ > {group}/cgroup.procs && exec curl --silent --http1.1 --data-binary '{body}' "
                f"{PROVIDER.url()}/v1/chat/completions",
            ],
            env=fake.client_env(),
            stdout=subprocess.DEVNULL,
            check=True,
        )
        check.equal(seen(tracer, "group-1"), ["group-1"], "calls captured")
    finally:
        os.rmdir(group)


def test_side_traffic_of_a_model_host_gives_no_span(check):
    side = [
        ("GET", "/v1/models"),
        ("HEAD", "/api/hello"),
        ("GET", "/api/claude_code/settings"),
        ("POST", "/api/event_logging/v2/batch"),
        ("POST", "/api/eval/sdk-x"),
        ("GET", "/backend-api/codex/models"),
    ]
    script = "; ".join(
        f"curl --silent --http1.1 --max-time 10 {'--head' if method == 'HEAD' else f'-X {method}'} "
        f"{'-d [{}]' if method == 'POST' else ''} {PROVIDER.url()}{path} >/dev/null"
        for method, path in side
    )
    result, spans = spantap.run(["sh", "-c", script], env=fake.client_env())
    check.equal([s["attributes"].get("url.path") for s in spans], [], "spans of side traffic")
    check.equal(spantap.balanced(result.summary), 0, "difference of the ledger")


def test_https_that_is_no_model_traffic_gives_no_span(check):
    result, spans = spantap.run(
        ["sh", "-c", f"for i in 1 2 3 4 5; do curl --silent --http1.1 {PROVIDER.url()}/index.html >/dev/null; done"],
        env=fake.client_env(),
    )
    check.equal(len(spans), 0, "spans")
    check.equal(result.summary["calls"], 0, "calls")


def test_secrets_reach_no_sink_and_no_disk(check):
    secrets = ["sk-live-hunter2hunter2hunter2", "cookie-hunter2", "urlpass-hunter2"]
    server, state = mlflow.shared(), os.path.join(proc.scratch("secrets"), "state")
    experiment, number = server.experiment()
    body = '{"model":"m","messages":[{"role":"user","content":"[secret-1] x"}]}'
    command = [
        "curl",
        "--silent",
        "--http1.1",
        "--data-binary",
        body,
        "-H",
        f"Authorization: Bearer {secrets[0]}",
        "-H",
        f"Cookie: s={secrets[1]}",
        "-H",
        f"x-api-key: {secrets[0]}",
        f"https://user:{secrets[2]}@localhost:{PROVIDER.tls_port}/v1/chat/completions?api-key={secrets[0]}",
    ]
    result, spans = spantap.run(
        command, "--sink", "console", "-vv", server=server, experiment=experiment, state=state, env=fake.client_env()
    )
    check.must(len(spans) == 1, f"{len(spans)} spans: {result}")
    attributes = spans[0]["attributes"]
    fingerprint = attributes.get("spantap.api_key.fingerprint", "")
    check.that(fingerprint and secrets[0] not in fingerprint, f"spantap.api_key.fingerprint: {fingerprint}")
    places = {
        "the otlp-file": json.dumps(spans),
        "stdout and stderr": result.stdout + result.stderr,
        "MLflow": json.dumps(server.traces(number, 1)),
    }
    for path in glob.glob(os.path.join(state, "**"), recursive=True):
        if os.path.isfile(path):
            with open(path, "rb") as f:
                places[os.path.basename(path)] = f.read().decode("latin-1")
    for place, text in places.items():
        for secret in secrets:
            check.that(secret not in text, f"{secret} stands in {place}")
    check.that(len(places) > 4, "there is a spool to look into")


def test_the_same_key_has_the_same_fingerprint_and_another_has_another(check):
    state = proc.scratch("fingerprint")

    def fingerprint(key):
        command = [
            "curl",
            "--silent",
            "--http1.1",
            "--data-binary",
            '{"model":"m","messages":[]}',
            "-H",
            f"Authorization: Bearer {key}",
            PROVIDER.url() + "/v1/chat/completions",
        ]
        return spantap.run(command, state=state, env=fake.client_env())[1][0]["attributes"].get(
            "spantap.api_key.fingerprint"
        )

    one, again, other = fingerprint("sk-one-11111111"), fingerprint("sk-one-11111111"), fingerprint("sk-two-22222222")
    check.equal(again, one, "fingerprint of the same key")
    check.that(other != one, "another key has the same fingerprint")


if __name__ == "__main__":
    tap.main(sys.modules[__name__], setup)
