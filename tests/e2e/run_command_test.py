#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`spantap run -- CMD` is as if CMD had been started alone: status, streams, environment, user. And what spantap says
of itself."""

import json
import os
import pwd
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import fake, paths, proc, spantap, tap  # noqa: E402


def setup():
    spantap.need_spantap()


def run(*words, **more):
    return spantap.run(list(words), otlp=False, **more)[0]


def plain(*words, env=None, stdin=b"", timeout=30, preexec_fn=None):
    done = subprocess.run(
        [paths.SPANTAP, *words],
        input=stdin,
        capture_output=True,
        env=env or spantap.clean_env(),
        timeout=timeout,
        preexec_fn=preexec_fn,
    )
    status = 128 - done.returncode if done.returncode < 0 else done.returncode
    return spantap.Result(status, done.stdout.decode(), done.stderr.decode(), None)


def test_the_status_is_that_of_the_command(check):
    for script, status in (
        ("exit 0", 0),
        ("exit 3", 3),
        ("exit 125", 125),
        ("kill -TERM $$", 143),
        ("kill -KILL $$", 137),
    ):
        check.equal(run("sh", "-c", script).status, status, script)


def test_a_command_that_cannot_start_gives_the_status_of_env(check):
    check.equal(run("/nonexistent/command").status, 127, "a command that is not there")
    path = os.path.join(proc.scratch("noexec"), "file")
    with open(path, "w") as f:
        f.write("x")
    check.equal(run(path).status, 126, "a file that may not be executed")


def test_125_when_spantap_itself_fails_before_the_command(check):
    marker = os.path.join(proc.scratch("marker"), "ran")
    result = plain(
        "run", "--state-dir", "/proc/nonexistent/x", "--sink", "mlflow:http://127.0.0.1:1", "--", "touch", marker
    )
    check.equal(result.status, 125, f"status ({result.stderr.strip()})")
    check.that(not os.path.exists(marker), "the command ran")
    check.that(result.stderr.strip(), "a cause is named")


def test_wrong_use_is_2(check):
    for words in (
        ("run", "--no-such-option"),
        ("frobnicate",),
        ("attach",),
        ("attach", "x"),
        ("run", "--sink", "nonsense:x"),
        ("replay",),
        ("run", "--ring-bytes", "many"),
        ("spool",),
        ("record",),
        ("run", "--ready-fd", "99"),
    ):
        result = plain(*words, "--sink", "none") if words[0] == "run" and "--sink" not in words else plain(*words)
        check.equal(result.status, 2, f"status of spantap {' '.join(words)} ({result.stderr.strip()[:200]})")
        check.that(result.stderr.strip() and not result.stdout, f"spantap {' '.join(words)} complains on stderr")


def test_streams_and_environment_belong_to_the_command(check):
    result = run(
        "sh", "-c", "cat; echo $GIVEN; echo told >&2; env", stdin=b"in\n", env=dict(spantap.clean_env(), GIVEN="here")
    )
    check.that(result.stdout.startswith("in\nhere\n"), f"stdout: {result.stdout[:80]}")
    check.that("told" in result.stderr, "stderr")
    names = {line.split("=")[0] for line in result.stdout.splitlines()[2:]}
    check.equal(
        names - set(spantap.clean_env()) - {"GIVEN", "PWD", "_", "SHLVL", "OLDPWD"}, set(), "variables that were added"
    )


def test_the_terminal_and_the_process_group_are_kept(check):
    result = run("sh", "-c", "[ -t 0 ] && echo tty || echo none; ps -o tpgid= -p $$ | tr -d ' '")
    check.that(result.stdout.startswith("none"), f"stdin that is no terminal: {result.stdout}")
    script = f"{paths.SPANTAP} run --sink none --state-dir {proc.scratch('tty')} -- "
    script += "sh -c '[ -t 0 ] && [ -t 1 ] && echo both are a terminal'"
    done = subprocess.run(
        ["script", "-qec", script, "/dev/null"], capture_output=True, timeout=60, stdin=subprocess.DEVNULL
    )
    check.that(b"both are a terminal" in done.stdout, f"under a terminal: {done.stdout[-300:]}")


def test_the_command_may_run_as_another_user(check):
    nobody = pwd.getpwnam("nobody")
    result = spantap.run(["id", "-u"], "--user", "nobody", otlp=False)[0]
    check.equal(result.stdout.strip(), str(nobody.pw_uid), "uid with --user nobody")
    env = dict(spantap.clean_env(), SUDO_UID=str(nobody.pw_uid), SUDO_GID=str(nobody.pw_gid), SUDO_USER="nobody")
    check.equal(run("id", "-u", env=env).stdout.strip(), str(nobody.pw_uid), "uid under sudo")
    check.equal(
        run("sh", "-c", "grep CapEff /proc/self/status", env=env).stdout.split()[-1:],
        ["0000000000000000"],
        "capabilities under sudo",
    )


def test_signals_reach_the_command(check):
    tracer = spantap.Spantap(
        cmd=["sh", "-c", "trap 'echo caught; exit 7' TERM; echo up; while :; do sleep 0.05; done"], otlp=False
    )
    proc.wait_for("the command", lambda: "up" in open(tracer.stdout_path).read())
    os.kill(tracer.process.pid, signal.SIGTERM)
    result = tracer.wait()
    check.equal((result.status, result.stdout.split()), (7, ["up", "caught"]), "status and output")


def test_nothing_of_the_first_milliseconds_is_lost(check):
    """The call is the first thing that the command does; its libraries must be probed before they run."""
    provider = fake.Provider()
    for i in range(5):
        command = [
            "curl",
            "--silent",
            "--http1.1",
            "--data-binary",
            '{"model":"m","messages":[{"role":"user","content":"first"}]}',
            provider.url() + "/v1/chat/completions",
        ]
        result, spans = spantap.run(command, env=fake.client_env())
        check.equal([s["attributes"].get("spantap.complete") for s in spans], [True], f"complete calls of run {i}")
        check.that('"chat.completion"' in result.stdout, "the answer is on the command's stdout")
    provider.stop()


def test_only_the_command_and_its_descendants_are_traced(check):
    provider = fake.Provider()
    body = '{"model":"m","messages":[{"role":"user","content":"[%s] x"}]}'
    curl = "curl --silent --http1.1 --data-binary '%s' %s/v1/chat/completions"
    inner = curl % (body % "deep-1", provider.url())
    tracer = spantap.Spantap(cmd=["sh", "-c", 'sleep 1; sh -c "$INNER"; true'], env=fake.client_env(INNER=inner))
    subprocess.run(
        ["sh", "-c", curl % (body % "outer-1", provider.url())],
        env=fake.client_env(),
        stdout=subprocess.DEVNULL,
        check=True,
    )
    result = tracer.wait()
    check.equal(
        [("deep-1" in s["attributes"]["gen_ai.input.messages"]) for s in tracer.spans()],
        [True],
        f"calls captured ({result})",
    )
    provider.stop()


def test_two_spantaps_with_one_state_directory(check):
    state = proc.scratch("state")
    first = spantap.Spantap(state=state)
    second = plain("run", "--state-dir", state, "--sink", "none")
    check.equal(second.status, 1, "status of the second")
    check.that(state in second.stderr, f"the second says why: {second.stderr.strip()}")
    inner = spantap.run(["true"], state=state, otlp=False)[0]
    check.equal(inner.status, 0, f"`run -- CMD` takes a directory of its own ({inner.stderr.strip()})")
    check.equal(first.stop().status, 0, "status of the first")


def test_help_version_and_config_speak_on_stdout(check):
    for words in (
        ["--help"],
        ["--version"],
        *([c, "--help"] for c in ("run", "attach", "record", "replay", "doctor", "targets", "spool", "config")),
    ):
        result = plain(*words)
        check.that(
            result.status == 0 and result.stdout.strip() and not result.stderr, f"spantap {' '.join(words)}: {result}"
        )
    env = dict(
        spantap.clean_env(),
        MLFLOW_TRACKING_URI="http://user:hunter2@mlflow.example:5000",
        MLFLOW_TRACKING_TOKEN="tok-hunter2",
    )
    result = plain("config", env=env)
    check.equal(result.status, 0, "status of config")
    check.that(
        "mlflow.example" in result.stdout and "hunter2" not in result.stdout,
        f"secrets are masked: {result.stdout[-600:]}",
    )


def test_reports_are_json_when_asked(check):
    provider = fake.Provider()
    for words in (
        ["doctor", "--json"],
        ["doctor", "--json", str(provider.pid)],
        ["targets", "--json"],
        ["spool", "status", "--json", "--state-dir", proc.scratch("spool")],
    ):
        result = plain(*words)
        try:
            json.loads(result.stdout)
        except ValueError:
            check.that(False, f"spantap {' '.join(words)} gives no JSON: {result.stdout[:200]} {result.stderr[:300]}")
    check.that("libssl" in plain("targets").stdout, "targets names the provider's libssl")
    provider.stop()


def test_without_root_the_cause_and_the_remedy_are_named(check):
    def nobody():
        os.setgid(65534)
        os.setuid(65534)

    path = os.path.join(proc.scratch("bin"), "spantap")
    subprocess.run(["cp", paths.SPANTAP, path], check=True)
    directory = os.path.dirname(path)
    while directory.startswith(paths.BUILD):
        os.chmod(directory, 0o755)
        directory = os.path.dirname(directory)
    try:
        done = subprocess.run(
            [path, "run", "--sink", "none", "--", "true"], capture_output=True, timeout=30, preexec_fn=nobody, cwd="/"
        )
    except PermissionError as e:
        raise tap.Skip(f"the build folder is not open to other users: {e}") from None
    check.equal(done.returncode, 125, "status")
    check.that(b"root" in done.stderr or b"CAP_" in done.stderr, f"stderr: {done.stderr.decode()[:300]}")


def test_a_summary_is_written_and_balances(check):
    result = run("true")
    check.must(result.summary, f"no summary: {result}")
    check.equal(result.summary["calls"], 0, "calls")
    check.equal(spantap.balanced(result.summary), 0, "difference of the ledger")


if __name__ == "__main__":
    tap.main(sys.modules[__name__], setup)
