#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Attaching: to what runs already, in the middle of what it does, and to what lives for 200 ms only."""

import collections
import contextlib
import ctypes.util
import glob
import os
import resource
import shutil
import signal
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import fake, proc, spantap, tap  # noqa: E402
from harness.steps import Steps, tag_of  # noqa: E402

PATH = "/v1/chat/completions"
PROVIDER = None


def setup():
    global PROVIDER
    spantap.need_spantap()
    PROVIDER = fake.Provider()


def attached(pid):
    return spantap.Spantap(str(pid), command="attach")


def by_tag(spans):
    return {tag_of(s): s["attributes"] for s in spans if spantap.is_model_call(s)}


def test_attach_between_two_calls_of_a_keep_alive_connection(check):
    client = Steps(PROVIDER)
    client.step("call", PATH, "before-1")
    tracer = attached(client.pid)
    calls = [client.step("call", PATH, tag) for tag in ("after-1", "after-2")]
    tracer.wait_spans(2)
    client.end()
    tracer.stop()
    spans = by_tag(tracer.spans())
    check.equal(sorted(map(str, spans)), ["after-1", "after-2"], "calls captured")
    for call in calls:
        attributes = spans.get(call["tag"], {})
        check.equal(attributes.get("spantap.complete"), True, f"spantap.complete of {call['tag']}")
        check.equal(attributes.get("http.request.body.size"), call["request_bytes"], f"request body of {call['tag']}")
        check.equal(
            attributes.get("http.response.body.size"), call["response_bytes"], f"answer's body of {call['tag']}"
        )
        check.equal(
            attributes.get("server.port"), PROVIDER.tls_port, "the peer, found for a connection that was there before"
        )


def test_attach_in_the_middle_of_a_stream(check):
    client = Steps(PROVIDER)
    client.step("stream", "/x/events=60,delay=0.05" + PATH, "mid-1", 5)
    tracer = attached(client.pid)
    client.step("rest")
    client.step("call", PATH, "next-1")
    tracer.wait_spans(2, where=spantap.is_model_call)
    client.end()
    result = tracer.stop()
    spans = [s["attributes"] for s in tracer.spans() if spantap.is_model_call(s)]
    late = [a for a in spans if "joined_late" in a.get("spantap.missing_reason", [])]
    check.must(len(late) == 1 and len(spans) == 2, f"{len(spans)} spans, {len(late)} of them joined late: {result}")
    check.equal(late[0].get("spantap.complete"), False, "spantap.complete of the stream")
    check.equal(late[0].get("spantap.end"), "complete", "spantap.end of the stream")
    check.equal(late[0].get("spantap.request.missing_bytes"), -1, "missing bytes of the request")
    check.that(0 < late[0].get("spantap.stream.events", 0) < 62, f"events seen: {late[0].get('spantap.stream.events')}")
    check.that("000059" in late[0].get("gen_ai.output.messages", ""), "the stream's last text is in the span")
    check.equal(
        by_tag(tracer.spans()).get("next-1", {}).get("spantap.complete"), True, "the next call on the same connection"
    )


def test_a_client_killed_in_the_middle_of_a_stream_still_gives_its_span(check):
    tracer = spantap.Spantap("--comm", "python3*")
    client = Steps(PROVIDER)
    client.step("stream", "/x/events=100,delay=0.05" + PATH, "kill-1", 8)
    client.kill()
    spans = tracer.wait_spans(1, where=lambda s: tag_of(s) == "kill-1")
    tracer.stop()
    attributes = spans[0]["attributes"]
    check.that(
        attributes.get("spantap.end") not in ("complete", None), f"spantap.end is {attributes.get('spantap.end')}"
    )
    check.equal(len(spans), 1, "spans of the killed client")
    check.that("000003" in attributes.get("gen_ai.output.messages", ""), "what was streamed is in the span")
    check.that("000099" not in attributes.get("gen_ai.output.messages", ""), "what never passed is not in the span")


def test_a_client_that_leaves_in_the_middle_of_a_stream_is_a_cancel(check):
    client = Steps(PROVIDER)
    tracer = attached(client.pid)
    client.step("stream", "/x/events=100,delay=0.05" + PATH, "leave-1", 8)
    client.step("leave")
    attributes = tracer.wait_spans(1)[0]["attributes"]
    client.end()
    tracer.stop()
    check.equal(attributes.get("spantap.end"), "client_cancel", "spantap.end")
    check.equal(attributes.get("spantap.complete"), True, "spantap.complete: all that passed was captured")


def test_children_of_an_attached_process_are_traced(check):
    client = Steps(PROVIDER)
    tracer = attached(client.pid)
    client.step("child", PATH, "child-1")
    attributes = tracer.wait_spans(1, where=lambda s: tag_of(s) == "child-1")[0]["attributes"]
    client.end()
    tracer.stop()
    check.that(attributes.get("process.pid") not in (None, client.pid), "the child's own pid")
    check.equal(attributes.get("process.parent_pid"), client.pid, "process.parent_pid")


def test_other_processes_are_not_traced_by_attach(check):
    client, other = Steps(PROVIDER), Steps(PROVIDER)
    tracer = attached(client.pid)
    other.step("call", PATH, "other-1")
    client.step("call", PATH, "mine-1")
    tracer.wait_spans(1)
    client.end()
    other.end()
    tracer.stop()
    check.equal([tag_of(s) for s in tracer.spans()], ["mine-1"], "calls captured")


def test_100_processes_of_200_ms_are_100_calls(check):
    """The library was seen before; each process is caught from its first byte."""
    tracer = spantap.Spantap("--comm", "curl")
    url, begun, running, lives = PROVIDER.url() + PATH, time.monotonic(), [], []
    env, count = fake.client_env(), 100
    for i in range(count):
        body = f'{{"model":"gpt-4o-mini","messages":[{{"role":"user","content":"[race-{i}] hello"}}]}}'
        running.append(
            (
                time.monotonic(),
                subprocess.Popen(
                    [
                        "curl",
                        "--silent",
                        "--http1.1",
                        "--max-time",
                        "20",
                        "--data-binary",
                        body,
                        "--header",
                        "Content-Type: application/json",
                        url,
                    ],
                    env=env,
                    stdout=subprocess.DEVNULL,
                ),
            )
        )
        while len(running) >= 4:
            start, process = running.pop(0)
            process.wait()
            lives.append(time.monotonic() - start)
    for start, process in running:
        process.wait()
        lives.append(time.monotonic() - start)
    check.equal(len(PROVIDER.truth(count, where=lambda t: "[race-" in str(t["request"]))), count, "calls made")
    spans = tracer.wait_spans(count, timeout=20, where=lambda s: str(tag_of(s)).startswith("race-"))
    tracer.stop()
    named = [s for s in spans if s["attributes"].get("process.executable.name") == "curl"]
    check.equal(len(named), count, "processes that are named")
    check.equal(len({tag_of(s) for s in spans}), count, "processes captured")
    check.equal(len(spans), count, "calls captured")
    check.equal({s["attributes"].get("spantap.complete") for s in spans}, {True}, "spantap.complete")
    check.note(
        f"lives of {min(lives) * 1000:.0f} to {max(lives) * 1000:.0f} ms, {time.monotonic() - begun:.1f} s in all"
    )


def test_detaching_leaves_the_traced_process_as_it_was(check):
    client = Steps(PROVIDER)
    for _ in range(3):
        tracer = attached(client.pid)
        client.step("call", PATH, "detach-1")
        tracer.stop(signal.SIGTERM)
    check.equal(client.step("call", PATH, "detach-2")["status"], 200, "a call after the tracer has left")
    client.end()


MANY = 3000


def paths_of(client):
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), "clients", client)


@contextlib.contextmanager
def many_server():
    path = os.path.join(proc.scratch("many"), "socket")
    server = proc.Process([sys.executable, paths_of("many_open.py"), "serve", path], "many", stdout=subprocess.PIPE)
    proc.read_line(server.popen.stdout.fileno(), 20, "the server")
    yield path
    server.popen.stdout.close()
    server.stop()


def test_a_process_that_dies_in_many_calls_at_once_gives_all_of_them_whole(check):
    """Nobody closes a unix socket for it: how far each connection went is only known by looking at all that were open."""
    if resource.getrlimit(resource.RLIMIT_NOFILE)[1] < MANY + 100:
        raise tap.Skip("too few descriptors are allowed")
    for how, status in (("kill", 128 + signal.SIGKILL), ("exit", 0)):
        with many_server() as path:
            result, spans = spantap.run([sys.executable, paths_of("many_open.py"), "ask", path, str(MANY), how])
        check.equal(result.status, status, f"{how}: status")
        check.equal(
            collections.Counter(tag_of(s) for s in spans),
            collections.Counter(f"open-{i}" for i in range(MANY)),
            f"{how}: calls told, each once",
        )
        for name, value in (("spantap.complete", True), ("spantap.response.missing_bytes", 0)):
            values = collections.Counter(s["attributes"].get(name) for s in spans)
            check.equal(dict(values), {value: MANY}, f"{how}: {name}")
        check.that(all("begun" in s["attributes"].get("gen_ai.output.messages", "") for s in spans), f"{how}: answers")
        check.equal(result.summary["calls"], MANY, f"{how}: calls counted")
        check.equal(spantap.balanced(result.summary), 0, f"{how}: difference of the ledger")


HOLDER = """
import ctypes, sys
ctypes.CDLL(sys.argv[1])
print("loaded", flush=True)
sys.stdin.read()
"""


def installed(name):
    """The path of library @name, or None."""
    library = ctypes.util.find_library(name)
    return next(iter(glob.glob(f"/usr/lib/*/{library}") + glob.glob(f"/lib/*/{library}")), None)


def holding(path):
    """A process that has loaded the library at @path, until its input ends."""
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    holder.stdout.readline()
    return holder


def test_probes_leave_a_library_that_is_gone(check):
    """Probes hold an inode: as long as they are there, the file system of a container that ended cannot be unmounted."""
    found, place = installed("ssl"), proc.scratch("gone")
    if not found or subprocess.run(["mount", "-t", "tmpfs", "spantap-test", place], capture_output=True).returncode:
        raise tap.Skip("no libssl, or no tmpfs")
    path, tracer = os.path.join(place, "libssl.so"), None
    try:
        shutil.copy(found, path)
        tracer = spantap.Spantap("--log-level", "debug", "--sink", "none", otlp=False)
        holder = holding(path)
        proc.wait_for("probes", lambda: f"functions of {path}" in tracer.process.log(1 << 20), 20)
        os.unlink(path)
        time.sleep(5)
        check.that(f"from {path}" not in tracer.process.log(1 << 20), "probes stay while the deleted file is mapped")
        holder.communicate("")
        proc.wait_for("the probes' end", lambda: f"from {path}" in tracer.process.log(1 << 20), 40)
        log = tracer.process.log(1 << 20)
        check.that(log.count("taking the probes") >= 1, "files whose probes were taken")
        check.that(f"from {found}," not in log, "what is installed keeps its probes")
    finally:
        subprocess.run(["umount", "-l", place], capture_output=True)
        if tracer:
            result = tracer.stop()
            check.equal(result.status, 0, "status")


def test_a_file_that_becomes_a_tls_library_gets_probes(check):
    """Same name, same inode, other contents: what was known of the file no longer holds."""
    before, after = installed("z"), installed("ssl")
    if not before or not after:
        raise tap.Skip("no libz, or no libssl")
    path = os.path.join(proc.scratch("anew"), "lib.so")
    shutil.copy(before, path)
    tracer = spantap.Spantap("--log-level", "debug", "--sink", "none", otlp=False)
    for library in (before, after):
        with open(library, "rb") as source, open(path, "r+b") as target:
            target.truncate()
            shutil.copyfileobj(source, target)
        time.sleep(1)
        check.that(f"functions of {path}" not in tracer.process.log(1 << 20), "no probes before it is mapped")
        holding(path).communicate("")
    holder = holding(path)
    proc.wait_for("probes", lambda: f"functions of {path}" in tracer.process.log(1 << 20), 20)
    holder.communicate("")
    check.equal(tracer.stop().status, 0, "status")


LIBRARY = """
#ifdef ANEW
int other(int x) { volatile int sum = x; for (int i = 0; i < 100; i++) sum += i * x; return sum; }
int another(int x) { volatile int sum = x; for (int i = 0; i < 100; i++) sum += i ^ x; return sum; }
#endif
int SSL_read(void *ssl, void *buffer, int n) { volatile int k = n; return k; }
int SSL_write(void *ssl, const void *buffer, int n) { volatile int k = n; return k; }
void SSL_free(void *ssl) { volatile int k = 1; (void)k; }
"""


def build(path, *options):
    command = ["gcc", "-xc", "-w", "-O1", "-fPIC", "-shared", *options, "-o", path, "-"]
    subprocess.run(command, input=LIBRARY, text=True, check=True)


def test_a_library_that_is_written_anew_does_not_keep_its_probes_where_they_were(check):
    """Under the same inode other instructions stand there: who maps it would die of the breakpoints."""
    place = proc.scratch("rewritten")
    path, anew = os.path.join(place, "libssl.so"), os.path.join(place, "anew")
    build(path)
    build(anew, "-DANEW")
    tracer = spantap.Spantap("--log-level", "debug", "--sink", "none", otlp=False)

    def said(text):
        return tracer.process.log(1 << 20).count(text)

    holding(path).communicate("")
    proc.wait_for("probes", lambda: said(f"functions of {path}") == 1, 20)
    os.chmod(path, 0o700)
    holding(path).communicate("")
    time.sleep(3)
    check.equal(said(f"from {path}"), 0, "probes taken from a file of which not the content has changed")
    with open(anew, "rb") as source, open(path, "r+b") as target:
        target.truncate()
        shutil.copyfileobj(source, target)
    begun = time.monotonic()
    while not said(f"from {path}, which is written anew") and time.monotonic() < begun + 10:
        time.sleep(0.01)
    check.note(f"seen after {(time.monotonic() - begun) * 1000:.0f} ms")
    time.sleep(1)
    holder = holding(path)
    holder.communicate("")
    check.equal(holder.returncode, 0, "end of a process that has mapped it since")
    check.equal(said(f"functions of {path}"), 2, "times that probes were put on it")
    check.equal(tracer.stop().status, 0, "status")


if __name__ == "__main__":
    tap.main(sys.modules[__name__], setup)
