#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`record` keeps the raw events, `replay` makes of them what the live run made: no root, no kernel, the same bytes
every time."""

import json
import os
import stat
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import fake, paths, proc, spantap, tap  # noqa: E402
from harness.steps import CLIENTS, tag_of  # noqa: E402

RECORDING = None
STEPS = (
    "call /v1/chat/completions rec-1\nstream /x/events=30,enc=gzip/v1/chat/completions rec-2 0\nrest\n"
    "call /x/events=20/v1/messages rec-3\ncall /v1/embeddings rec-4\ncall /x/status=400/v1/chat/completions rec-5\n"
)


def setup():
    global RECORDING
    spantap.need_spantap()
    provider, directory = fake.Provider(), proc.scratch("record")
    RECORDING = os.path.join(directory, "calls.rec")
    done = subprocess.run(
        [
            paths.SPANTAP,
            "record",
            RECORDING,
            "--",
            sys.executable,
            os.path.join(CLIENTS, "steps.py"),
            f"localhost:{provider.tls_port}",
            provider.ca,
        ],
        input=STEPS.encode(),
        capture_output=True,
        env=fake.client_env(),
        timeout=60,
    )
    provider.stop()
    if done.returncode:
        raise tap.Failed(f"spantap record ended with {done.returncode}: {done.stderr.decode()}")


def replay(*options, preexec_fn=None):
    directory = proc.scratch("replay")
    os.chmod(directory, 0o777)
    out, summary = os.path.join(directory, "out"), os.path.join(directory, "summary")
    done = subprocess.run(
        [
            paths.SPANTAP,
            "replay",
            "--sink",
            f"otlp-file:{out}",
            "--state-dir",
            os.path.join(directory, "state"),
            "--summary",
            summary,
            *options,
            RECORDING,
        ],
        capture_output=True,
        timeout=60,
        preexec_fn=preexec_fn,
        env=spantap.clean_env(),
    )
    with open(out, "rb") as f:
        data = f.read()
    return (
        spantap.Result(done.returncode, done.stdout.decode(), done.stderr.decode(), spantap.read_json(summary)),
        data,
        spantap.read_otlp(out),
    )


def test_a_recording_is_for_its_owner_alone(check):
    check.equal(stat.S_IMODE(os.stat(RECORDING).st_mode), 0o600, "mode")


def test_replay_gives_the_calls(check):
    result, _, spans = replay()
    check.equal(result.status, 0, f"status ({result.stderr})")
    spans = [s for s in spans if spantap.is_model_call(s)]
    check.equal(sorted(str(tag_of(s)) for s in spans)[:4], ["None", "rec-1", "rec-2", "rec-3"], "calls")
    check.equal({s["attributes"].get("spantap.complete") for s in spans}, {True}, "spantap.complete")
    check.equal(result.summary["calls"], 5, "calls of the summary")
    check.equal(spantap.balanced(result.summary), 0, "difference of the ledger")


def test_replay_gives_the_same_bytes_every_time(check):
    first = replay()[1]
    for _ in range(2):
        check.equal(replay()[1] == first, True, "the output is the same byte for byte")
    check.that(len(first) > 1000, "there is output")


def test_replay_needs_no_root(check):
    def nobody():
        os.setgid(65534)
        os.setuid(65534)

    readable = os.path.join(proc.scratch("readable"), "calls.rec")
    subprocess.run(["install", "-m", "644", RECORDING, readable], check=True)
    if subprocess.run(
        ["setpriv", "--reuid", "65534", "--clear-groups", "test", "-r", readable, "-a", "-x", paths.SPANTAP]
    ).returncode:
        raise tap.Skip("the build folder is not open to other users")
    done = subprocess.run(
        [paths.SPANTAP, "replay", "--sink", "otlp-file:-", readable],
        capture_output=True,
        preexec_fn=nobody,
        cwd="/",
        timeout=60,
        env=spantap.clean_env(),
    )
    check.equal(done.returncode, 0, f"status ({done.stderr.decode()[:500]})")
    check.that(len(done.stdout.splitlines()) >= 1 and json.loads(done.stdout.splitlines()[0]), "spans on stdout")


def test_a_recording_that_is_cut_anywhere_is_told_and_gives_what_it_has(check):
    whole = open(RECORDING, "rb").read()
    path = os.path.join(proc.scratch("cut"), "cut.rec")
    for share in (0, 0.01, 0.3, 0.5, 0.9, 0.999):
        with open(path, "wb") as f:
            f.write(whole[: int(len(whole) * share)])
        done = subprocess.run(
            [paths.SPANTAP, "replay", "--sink", "otlp-file:-", path],
            capture_output=True,
            timeout=60,
            env=spantap.clean_env(),
        )
        check.that(done.returncode in (0, 1), f"status {done.returncode} at {share}: {done.stderr.decode()[:300]}")
        check.that(done.stderr, f"a cut at {share} is told")


def test_a_recording_with_flipped_bytes_is_survived(check):
    whole = bytearray(open(RECORDING, "rb").read())
    path = os.path.join(proc.scratch("flip"), "flip.rec")
    for at in range(0, len(whole), max(1, len(whole) // 40)):
        flipped = bytearray(whole)
        flipped[at] ^= 0x55
        with open(path, "wb") as f:
            f.write(flipped)
        done = subprocess.run(
            [paths.SPANTAP, "replay", "--sink", "none", path], capture_output=True, timeout=60, env=spantap.clean_env()
        )
        check.that(done.returncode in (0, 1), f"status {done.returncode} with byte {at} flipped")


if __name__ == "__main__":
    tap.main(sys.modules[__name__], setup)
