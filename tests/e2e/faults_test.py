#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What fails around and inside spantap: the server, the disk, spantap itself by kill -9. Nothing that was
acknowledged is lost, nothing is doubled, and what cannot be kept is told by number."""

import glob
import os
import random
import shutil
import signal
import sqlite3
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
    PROVIDER = fake.Provider()


def select(load):
    """Only this load: the host has other lives."""
    return ["--pid", str(load.pid)]


def delivered(server, number):
    """The tags of all traces in an experiment, sorted, doubled ones twice; roots alone, attempts are not calls."""
    return sorted(str(tag_of(s)) for t in server.traces(number) for s in t["spans"] if not s["parent_span_id"])


def drain(server, experiment, state, check):
    """One more start delivers what waits. Its end is awaited: `run -- true` waits for delivery of all that the spool
    holds."""
    tracer = spantap.Spantap(server=server, experiment=experiment, state=state, otlp=False)
    proc.wait_for("an empty spool", lambda: waiting(state) == 0, 60, every=0.3)
    result = tracer.stop()
    check.equal(result.summary["records"]["waiting"], 0, "records waiting after the last start")
    check.equal(result.summary["records"]["dead"], 0, "dead records")


def spool_files(state):
    return [
        f
        for f in glob.glob(os.path.join(state, "**"), recursive=True)
        if os.path.isfile(f) and open(f, "rb").read(6) == b"SQLite"
    ]


def spool_read(state, query):
    """A query on a copy of the spool, journal and all: nobody's locks are in the way, and a killed writer's log is
    replayed."""
    for path in spool_files(state):
        directory = proc.scratch("spool")
        for part in glob.glob(path + "*"):
            shutil.copy(part, directory)
        with sqlite3.connect(os.path.join(directory, os.path.basename(path))) as db:
            rows = db.execute(query).fetchall()
        shutil.rmtree(directory)
        return rows
    return []


def waiting(state):
    rows = spool_read(state, "SELECT coalesce(sum(waiting), 0) FROM sink")
    return rows[0][0] if rows else 0


def test_mlflow_killed_and_restarted_under_load_loses_nothing(check):
    server = mlflow.own()
    experiment, number = server.experiment()
    state = os.path.join(proc.scratch("state"), "s")
    load = Load(PROVIDER, 15, "fault")
    tracer = spantap.Spantap(*select(load), server=server, experiment=experiment, state=state)
    load.go()
    proc.wait_for("first traces", lambda: len(server.search(number)) >= 5, 30)
    server.kill()
    before = len(load.made())
    proc.wait_for("calls while the server is away", lambda: len(load.made()) >= before + 60, 60)
    server.start()
    before = len(load.made())
    proc.wait_for("calls after the server is back", lambda: len(load.made()) >= before + 15, 60)
    made = load.stop()
    proc.wait_for("all traces", lambda: len(server.search(number)) >= len(made), 90, every=0.5)
    result = tracer.stop()
    check.equal(delivered(server, number), sorted(made), "calls delivered, each once")
    check.equal(result.summary["records"]["waiting"], 0, "records waiting at the end")
    check.equal(result.summary["incomplete"], 0, "capture was not disturbed: incomplete calls")
    check.note(f"{len(made)} calls")
    server.stop()


def test_a_server_that_is_away_for_all_of_a_run_gets_all_at_the_next_start(check):
    server = mlflow.shared()
    experiment, number = server.experiment()
    state = os.path.join(proc.scratch("state"), "s")
    dead = mlflow.Server(f"http://127.0.0.1:{proc.free_port()}")
    load = Load(PROVIDER, 20, "away")
    tracer = spantap.Spantap(*select(load), "--drain", "1", server=dead, experiment=experiment, state=state, otlp=False)
    load.go()
    proc.wait_for("calls", lambda: len(load.made()) >= 30, 30)
    made = load.stop()
    proc.wait_for("calls in the spool", lambda: waiting(state) >= len(made), 30)
    result = tracer.stop()
    check.equal(result.summary["records"]["waiting"], len(made), "records waiting")
    check.that(str(len(made)) in result.stderr, "the number that waits is said on stderr")
    status = subprocess.run(
        [spantap.paths.SPANTAP, "spool", "status", "--state-dir", state], capture_output=True, text=True
    )
    check.that(str(len(made)) in status.stdout, f"spool status tells it: {status.stdout}{status.stderr}")
    # The spool owes them to the server by name; the user's server is now there, at the same address.
    port = dead.url.rsplit(":", 1)[1]
    forward = proc.Process([sys.executable, "-c", FORWARD, port, server.url.rsplit(":", 1)[1]], "forward")
    proc.wait_for("the forwarder", dead.healthy, 20)
    drain(dead, experiment, state, check)
    check.equal(delivered(server, number), sorted(made), "calls delivered, each once")
    forward.stop()


FORWARD = """
import asyncio, sys
async def copy(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    writer.close()
async def both(reader, writer):
    other = await asyncio.open_connection('127.0.0.1', int(sys.argv[2]))
    await asyncio.gather(copy(reader, other[1]), copy(other[0], writer))
async def main():
    server = await asyncio.start_server(both, '127.0.0.1', int(sys.argv[1]))
    await server.serve_forever()
asyncio.run(main())
"""


def descendants(pid):
    out = [pid]
    for child in open(f"/proc/{pid}/task/{pid}/children").read().split():
        out += descendants(int(child))
    return out


def kill_all(tracer):
    """kill -9 of every process of spantap's, at once, as a machine that loses power would."""
    for pid in reversed(descendants(tracer.process.pid)):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
    tracer.process.popen.wait(10)
    tracer.process.forget()


def spooled(state):
    """Ids of the traces in the spool."""
    return {row[0] for row in spool_read(state, "SELECT hex(trace_id) FROM record")}


def kill_when_more_is_acknowledged(tracer, state, acknowledged, pause, until):
    """Lets the tracer live for a random while, and then until the spool holds something new; kills it, and adds what the
    spool holds. However slow the machine, a kill has something to destroy. Returns whether it had."""
    known = len(acknowledged)
    time.sleep(pause.uniform(0.05, 0.6))
    while time.monotonic() < until:
        acknowledged |= spooled(state)
        if len(acknowledged) > known:
            break
        time.sleep(0.02)
    kill_all(tracer)
    acknowledged |= spooled(state)
    return len(acknowledged) > known


def test_kill_9_fifty_times_under_load_loses_and_doubles_nothing(check):
    """Calls made while no tracer is attached, or over for less than a commit takes to come (0.3 s on one host, where the other
    end of the connection is waited for), are lost by nature: what the spool has taken is what must not be."""
    kills, until = int(os.environ.get("KILLS", "50")), time.monotonic() + float(os.environ.get("KILLS_S", "240"))
    server = mlflow.shared()
    experiment, number = server.experiment()
    state = os.path.join(proc.scratch("state"), "s")
    acknowledged, load = set(), Load(PROVIDER, 30, "kill").go()
    pause, done, telling = random.Random(20260101), 0, 0
    while done < kills and time.monotonic() < until:
        tracer = spantap.Spantap(*select(load), server=server, experiment=experiment, state=state, otlp=False)
        if done % 3 == 2:  # at any moment of its life, its start included
            time.sleep(pause.uniform(0, 0.6))
            kill_all(tracer)
            acknowledged |= spooled(state)
        else:
            telling += kill_when_more_is_acknowledged(tracer, state, acknowledged, pause, until)
        done += 1
    made = load.stop()
    drain(server, experiment, state, check)
    infos = server.search(number)
    ids = {i["trace_id"].removeprefix("tr-").upper() for i in infos}
    tags = [t for t in delivered(server, number) if t != "None"]
    check.equal(len(acknowledged - ids), 0, "acknowledged traces that are not in MLflow")
    check.equal(len(tags) - len(set(tags)), 0, "calls delivered twice")
    check.equal(set(tags) - set(made), set(), "calls delivered that nobody made")
    check.that(telling >= min(kills, 10), f"only {telling} of {done} kills came after something new: this proves little")
    check.note(
        f"{done} kills, {telling} of them after new traces, {len(made)} calls made, {len(acknowledged)} were seen in the "
        f"spool, {len(tags)} delivered"
    )


def test_a_full_spool_is_told_and_the_rest_is_delivered(check):
    """1 MiB of spool against 4 MB of calls, the server away."""
    state = os.path.join(proc.scratch("state"), "s")
    dead = mlflow.Server(f"http://127.0.0.1:{proc.free_port()}")
    load = Load(PROVIDER, 20, "full", events=100, size=1000, noise=1)
    tracer = spantap.Spantap(
        *select(load), "--max-spool", "1M", "--drain", "1", server=dead, experiment="full", state=state
    )
    load.go()
    proc.wait_for("40 calls", lambda: len(load.made()) >= 40, 60)
    made = load.stop()
    tracer.wait_spans(len(made))
    result = tracer.stop()
    records = result.summary["records"]
    check.equal(len({tag_of(s) for s in tracer.spans()}), len(made), "the other sink got every call all the same")
    check.that(records["shed"] + records["dead"] > 0, f"nothing was given up: {records}")
    check.equal(records["waiting"] + records["shed"] + records["dead"], len(made), "waiting and given up are all calls")
    check.equal(waiting(state), records["waiting"], "records in the spool, of those that are said to wait there")
    check.that("spool" in result.stderr, f"stderr names the spool: {result.stderr[-500:]}")
    size = sum(os.path.getsize(f) for f in glob.glob(os.path.join(state, "**"), recursive=True) if os.path.isfile(f))
    check.that(size < 4 << 20, f"the state directory has {size} bytes")


class SmallDisk:
    """A file system of 8 MB that can be filled and emptied."""

    def __init__(self):
        self.path = proc.scratch("disk")
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=8m", "spantap-test", self.path], capture_output=True, text=True
        )
        if done.returncode:
            raise tap.Skip(f"no tmpfs can be mounted: {done.stderr.strip()}")

    def fill(self):
        try:
            with open(os.path.join(self.path, "ballast"), "wb") as f:
                while True:
                    f.write(b"\0" * 4096)
                    f.flush()
        except OSError:
            pass

    def empty(self):
        os.unlink(os.path.join(self.path, "ballast"))

    def end(self):
        subprocess.run(["umount", "-l", self.path], check=False)


def test_a_full_disk_is_told_and_capture_goes_on(check):
    disk = SmallDisk()
    try:
        server = mlflow.shared()
        experiment, number = server.experiment()
        load = Load(PROVIDER, 20, "disk", events=100, size=100)
        tracer = spantap.Spantap(
            *select(load), server=server, experiment=experiment, state=os.path.join(disk.path, "s")
        )
        load.go()
        proc.wait_for("first traces", lambda: len(server.search(number)) >= 3, 30)
        disk.fill()
        before = len(load.made())
        proc.wait_for("calls on a full disk", lambda: len(load.made()) >= before + 30, 30)
        disk.empty()
        before = len(load.made())
        proc.wait_for("calls after it", lambda: len(load.made()) >= before + 10, 30)
        made = load.stop()
        tracer.wait_spans(len(made))
        last = sorted(made, key=lambda tag: made[tag]["t"])[-5:]
        proc.wait_for(
            "traces after the disk has room again", lambda: set(last) <= set(delivered(server, number)), 60, every=0.5
        )
        result = tracer.stop()
        tags = delivered(server, number)
        check.equal(result.status, 0, "status")
        check.that(
            "disk" in result.stderr.lower() or "space" in result.stderr.lower(),
            f"stderr names the cause: {result.stderr[-800:]}",
        )
        check.equal(len(tags), len(set(tags)), "calls delivered once")
        shed = result.summary["records"]["shed"] + result.summary["records"]["dead"]
        check.equal(len(tags) + shed, len(made), "delivered and given up are all calls")
        check.note(f"{len(made)} calls, {shed} given up while the disk was full")
    finally:
        disk.end()


def test_a_summary_still_balances_when_the_pipeline_is_stopped_for_a_second(check):
    """The reader stands still while bytes come: what the ring cannot hold is counted, nothing else is disturbed."""
    load = Load(PROVIDER, 40, "stopped", events=50, size=100)
    tracer = spantap.Spantap(*select(load), "--ring-bytes", "65536")
    pids = descendants(tracer.process.pid)[1:]
    load.go()
    proc.wait_for("calls", lambda: len(load.made()) >= 10, 30)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    before = len(load.made())
    proc.wait_for("calls while it stands still", lambda: len(load.made()) >= before + 40, 30)
    for pid in pids:
        os.kill(pid, signal.SIGCONT)
    made = load.stop()
    result = tracer.stop()
    spans = [s for s in tracer.spans() if spantap.is_model_call(s)]
    check.equal(spantap.balanced(result.summary), 0, "difference of the ledger")
    check.that(result.summary["bytes"]["missing"]["ring_full"] > 0, "nothing was lost: the test proves nothing")
    complete = [s for s in spans if s["attributes"]["spantap.complete"]]
    for span in complete:
        check.equal(
            span["attributes"]["http.response.body.size"],
            made.get(str(tag_of(span)), {}).get("response_bytes"),
            "body of a complete call",
        )
    check.note(f"{len(made)} calls, {len(complete)} complete, {result.summary['bytes']['missing']}")


if __name__ == "__main__":
    tap.main(sys.modules[__name__], setup)
