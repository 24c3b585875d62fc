#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Programs that Go built: their TLS is their own, and is seen in them, also where no symbol was left."""

import json
import os
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import fake, paths, proc, spantap, tap  # noqa: E402
from harness.steps import CLIENTS, Steps, tag_of  # noqa: E402

SOURCE = os.path.join(CLIENTS, "tls.go")
PATH = "/v1/chat/completions"
# As most are published, and as a distribution would build it.
STRIPPED, NAMED = ["-ldflags=-s -w", "-buildmode=pie", "-trimpath"], []
PROVIDER = None
PROGRAMS = {}


def go_build(name, flags):
    """Once for each; modules and cache are below build/ too. The cache is that of the SDKs for Go."""
    path = os.path.join(paths.BUILD, "test", "go", name)
    env = dict(os.environ, GOCACHE=os.path.join(paths.BUILD, "go-cache"), GO111MODULE="off", GOFLAGS="")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    built = subprocess.run(["go", "build", *flags, "-o", path, SOURCE], env=env, capture_output=True, text=True, timeout=400)
    if built.returncode:
        raise tap.Failed(f"go build: {built.stderr[-2000:]}")
    return path


def setup():
    global PROVIDER
    spantap.need_spantap()
    if not shutil.which("go"):
        raise tap.Skip("no go")
    PROGRAMS.update(stripped=go_build("stripped", STRIPPED), named=go_build("named", NAMED))
    PROVIDER = fake.Provider()


def env(**more):
    return fake.client_env(PROVIDER, GOMAXPROCS="2", **more)


def address():
    return f"localhost:{PROVIDER.tls_port}"


def said(result):
    return [json.loads(line) for line in result.stdout.splitlines() if line.startswith("{")]


def by_tag(spans):
    return {tag_of(s): s["attributes"] for s in spans if spantap.is_model_call(s)}


def check_calls(check, told, spans, port, capture="go"):
    """Each call as the program tells it, and no other."""
    seen = by_tag(spans)
    check.equal(len([s for s in spans if spantap.is_model_call(s)]), len(told), "calls captured")
    for call in told:
        tag, attributes = call["tag"], seen.get(call["tag"])
        if not check.that(attributes, f"{tag} is missing"):
            continue
        check.equal(attributes.get("spantap.capture"), capture, f"capture of {tag}")
        check.equal(attributes.get("spantap.complete"), True, f"spantap.complete of {tag}")
        check.equal(attributes.get("http.request.body.size"), call["request_bytes"], f"request of {tag}")
        check.equal(attributes.get("http.response.body.size"), call["response_bytes"], f"answer of {tag}")
        check.equal(attributes.get("server.port"), port, f"peer of {tag}")
        check.equal(attributes.get("spantap.peer_evidence"), "bio", f"how the peer of {tag} is known")


def run_calls(check, program, base, port, *args):
    result, spans = spantap.run([PROGRAMS[program], "calls", base, *args], env=env())
    check.must(result.status == 0, repr(result))
    told = said(result)
    check.equal(len(told), int(args[0]), "calls made")
    check_calls(check, told, spans, port)
    peers = {s["attributes"].get("network.peer.port") for s in spans if spantap.is_model_call(s)}
    check.equal(peers, {port}, "ports of the sockets")
    check.equal(spantap.balanced(result.summary), 0, "difference of the ledger")
    check.equal(result.summary["bytes"]["captured"], result.summary["bytes"]["seen"], "bytes captured")
    return told


def test_calls_of_many_goroutines_on_two_threads_are_seen_whole(check):
    for program in PROGRAMS:
        run_calls(check, program, PROVIDER.url(), PROVIDER.tls_port, "60", "20", "h1")


def test_connections_one_after_the_other_at_the_same_addresses_are_told_apart(check):
    run_calls(check, "stripped", PROVIDER.url(), PROVIDER.tls_port, "150", "2", "h1")


class Server:
    """Go's own server, of HTTP/1.1 and HTTP/2; or the one that answers early."""

    def __init__(self, kind="serve"):
        _, cert, key = fake.certs.make(paths.CERTS)
        command = [PROGRAMS["stripped"], kind, cert, key]
        self.process = proc.Process(command, "server", stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env())
        self.port = json.loads(proc.read_line(self.process.popen.stdout.fileno(), 20, "the server's port"))["port"]
        self.url = f"https://localhost:{self.port}"

    def end(self):
        self.process.popen.stdin.close()
        self.process.wait(20)
        self.process.popen.stdout.close()


def test_http2_of_many_goroutines_on_one_connection_is_seen_whole(check):
    server = Server()
    for program in PROGRAMS:
        told = run_calls(check, program, server.url, server.port, "60", "20", "h2")
        check.equal({call["http"] for call in told}, {2}, "version of HTTP")
    server.end()


def test_a_server_is_seen_at_its_end(check):
    server = Server()
    for version in ("h1", "h2"):
        tracer = spantap.Spantap(str(server.process.pid), command="attach")
        command = [PROGRAMS["named"], "calls", server.url, "30", "6", version]
        ran = subprocess.run(command, env=env(), capture_output=True, text=True, timeout=60)
        check.must(ran.returncode == 0, ran.stderr)
        tracer.wait_spans(30, where=spantap.is_model_call)
        result = tracer.stop()
        spans = [s for s in tracer.spans() if spantap.is_model_call(s)]
        check_calls(check, said(ran), spans, server.port)
        check.equal({s["kind"] for s in spans}, {2}, "kind of the spans")
        check.equal(spantap.balanced(result.summary), 0, "difference of the ledger")
    server.end()


def is_idle(pid):
    """It has used no time of the processor for a while: what it was asked for was sent, and it waits."""

    def used():
        with open(f"/proc/{pid}/stat") as f:
            return f.read().rpartition(")")[2].split()[11:13]

    before = used()
    time.sleep(0.3)
    return used() == before


class GoSteps(Steps):
    def __init__(self, server=None):
        command = [PROGRAMS["stripped"], "steps", server or address(), PROVIDER.ca]
        self.process = proc.Process(
            command, "steps", stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=fake.client_env()
        )
        self.pid = self.answer()["pid"]

    def ask(self, *words):
        self.process.popen.stdin.write((" ".join(words) + "\n").encode())
        self.process.popen.stdin.flush()


def test_attach_between_two_calls_and_in_the_middle_of_a_stream(check):
    client = GoSteps()
    client.step("call", PATH, "before-1")
    tracer = spantap.Spantap(str(client.pid), command="attach")
    told = [client.step("call", PATH, f"after-{i}") for i in (1, 2)]
    tracer.wait_spans(2, where=spantap.is_model_call)
    tracer.stop()
    check_calls(check, told, tracer.spans(), PROVIDER.tls_port)
    client.step("stream", "/x/events=60,delay=0.05" + PATH, "mid-1", 500)
    tracer = spantap.Spantap(str(client.pid), command="attach")
    client.step("rest")
    told = [client.step("call", PATH, "next-1")]
    tracer.wait_spans(2, where=spantap.is_model_call)
    client.end()
    tracer.stop()
    spans = [s for s in tracer.spans() if spantap.is_model_call(s)]
    late = [s["attributes"] for s in spans if "joined_late" in s["attributes"].get("spantap.missing_reason", [])]
    check.must(len(late) == 1, f"{len(late)} of {len(spans)} spans joined late")
    check.equal(late[0].get("spantap.complete"), False, "spantap.complete of the stream")
    check.that("000059" in late[0].get("gen_ai.output.messages", ""), "the stream's last text is in the span")
    check.equal(late[0].get("server.port"), PROVIDER.tls_port, "peer of the stream")
    check_calls(check, told, [s for s in spans if s["attributes"] not in late], PROVIDER.tls_port)


def test_a_read_that_waited_before_the_attach_is_seen(check):
    server = Server()
    client = GoSteps(f"localhost:{server.port}")
    client.ask("call", "/held" + PATH, "waited-1")
    proc.wait_for("the client to wait for its answer", lambda: is_idle(client.pid), 10)
    tracer = spantap.Spantap(str(client.pid), command="attach")
    server.process.popen.stdin.write(b"\n")
    server.process.popen.stdin.flush()
    told = client.answer()
    client.end()
    tracer.wait_spans(1, where=spantap.is_model_call)
    result = tracer.stop()
    attributes = [s["attributes"] for s in tracer.spans() if spantap.is_model_call(s)][0]
    check.equal(attributes.get("http.response.body.size"), told["response_bytes"], "body of the answer")
    check.equal(attributes.get("spantap.response.missing_bytes"), 0, "bytes of the answer that are missing")
    check.equal(attributes.get("spantap.missing_reason"), ["joined_late"], "why the request is not there")
    check.equal(attributes.get("network.peer.port"), server.port, "peer")
    check.equal(result.summary["bytes"]["missing"]["joined_late"], 0, "bytes that nobody could place")
    server.end()


def run_alone(check, *args):
    """One connection of one goroutine: what it sent and got is what was seen, to the byte."""
    result, spans = spantap.run([PROGRAMS["stripped"], *args], env=env())
    check.must(result.status == 0, repr(result))
    told, spans = said(result)[0], [s["attributes"] for s in spans if spantap.is_model_call(s)]
    check.must(len(spans) == 1, f"{len(spans)} calls captured")
    check.equal(spans[0].get("spantap.complete"), True, "spantap.complete")
    check.equal(spans[0].get("network.peer.port"), PROVIDER.tls_port, "peer")
    check.equal(spans[0].get("spantap.peer_evidence"), "bio", "how the peer is known")
    check.equal(spans[0].get("spantap.request.stream_bytes"), told["sent"], "bytes of the request")
    check.equal(spans[0].get("spantap.response.stream_bytes"), told["received"], "bytes of the answer")
    seen = result.summary["bytes"]
    check.equal(seen["seen"], told["sent"] + told["received"], "bytes seen")
    check.equal(seen["captured"], seen["seen"], "bytes captured")
    return told, spans[0]


def test_a_buffer_on_a_stack_that_is_moved_is_read_where_it_lies(check):
    told, attributes = run_alone(check, "stack", address(), "/x/events=60,delay=0.01" + PATH, "moved-1")
    check.that(told["moved"] > 3, f"the stack was moved in {told['moved']} reads")
    check.equal(attributes.get("spantap.end"), "complete", "spantap.end")
    text = attributes.get("gen_ai.output.messages", "")
    check.equal([f"{i:06}" in text for i in range(60)], [True] * 60, "pieces of the answer")


def test_a_connection_that_wraps_another_names_its_socket(check):
    run_alone(check, "wrapped", address(), PATH, "wrapped-1")


def test_what_was_not_sent_is_not_told(check):
    run_alone(check, "refused", address(), PATH, "sent-1")


def test_of_a_write_that_was_cut_only_what_was_sent_is_told(check):
    server = Server("early")
    result, spans = spantap.run([PROGRAMS["stripped"], "cut", f"localhost:{server.port}", PATH, "cut-1"], env=env())
    check.must(result.status == 0, repr(result))
    told, spans = said(result)[0], [s["attributes"] for s in spans if spantap.is_model_call(s)]
    check.that(0 < told["sent"] < told["asked"], f"{told['sent']} of {told['asked']} bytes were sent")
    check.equal(result.summary["bytes"]["seen"], told["sent"] + told["received"], "bytes seen")
    check.equal([s.get("http.response.status_code") for s in spans], [413], "status of the call")
    check.equal(spans[0].get("spantap.request.stream_bytes"), told["sent"], "bytes of the request")
    server.end()


class Layers:
    """A program in two places that are one file below, as containers of one image have it."""

    def __init__(self, program):
        self.at = proc.scratch("layers")
        os.mkdir(os.path.join(self.at, "image"))
        shutil.copy2(program, os.path.join(self.at, "image", "program"))
        self.places = [self.mount(name) for name in ("one", "other")]

    def mount(self, name):
        folders = {kind: os.path.join(self.at, name, kind) for kind in ("upper", "work", "all")}
        for folder in folders.values():
            os.makedirs(folder)
        options = f"lowerdir={self.at}/image,upperdir={folders['upper']},workdir={folders['work']}"
        done = subprocess.run(["mount", "-t", "overlay", "overlay", "-o", options, folders["all"]], capture_output=True, text=True)
        if done.returncode:
            raise tap.Skip(f"no overlay can be mounted: {done.stderr.strip()}")
        return folders["all"]

    def programs(self):
        return [os.path.join(place, "program") for place in self.places]

    def leave(self, place):
        subprocess.run(["umount", "-l", place], check=True)
        self.places.remove(place)


def wait_log(tracer, words):
    path = os.path.join(tracer.directory, "log")
    proc.wait_for(words, lambda: words in open(path).read(), 60)


def three_calls(check, tracer, program, then=""):
    """Until the log has the words. Returns the process's number."""
    line = [program, "calls", PROVIDER.url(), "3", "1", "h1"]
    with subprocess.Popen(line, env=env(), stdout=subprocess.DEVNULL) as client:
        check.equal(client.wait(), 0, f"status of {program}")
    wait_log(tracer, then)
    return client.pid


def check_own(check, tracer, pids):
    """Each of these was seen at its end, and each of its calls once and whole."""

    def own():
        spans = [s["attributes"] for s in tracer.spans() if spantap.is_model_call(s)]
        return [a for a in spans if a["process.pid"] in pids]

    proc.wait_for("their calls", lambda: len(own()) >= 3 * len(pids))
    size = PROVIDER.truth()[0]["response_stream_bytes"]
    for pid in pids:
        told = [a["spantap.response.stream_bytes"] for a in own() if a["process.pid"] == pid and a["spantap.complete"]]
        check.equal(told, [size] * 3, f"bytes of whole answers of process {pids.index(pid)}")
    check.equal(spantap.balanced(tracer.stop().summary), 0, "difference of the ledger")


def test_one_file_in_two_containers_is_probed_once(check):
    layers = Layers(PROGRAMS["stripped"])
    tracer = spantap.Spantap("-v", env=env())
    try:
        one, other = layers.programs()
        three_calls(check, tracer, one, f"functions of {one}")
        pids = [three_calls(check, tracer, other, f"functions of {other}"), three_calls(check, tracer, one)]
        layers.leave(layers.places[0])
        wait_log(tracer, "which is gone")
        pids.append(three_calls(check, tracer, other))
        check_own(check, tracer, pids)
    finally:
        for place in list(layers.places):
            layers.leave(place)


def test_who_writes_a_file_of_its_image_leaves_others_their_probes(check):
    layers = Layers(PROGRAMS["stripped"])
    tracer = spantap.Spantap("-v", env=env())
    try:
        one, other = layers.programs()
        three_calls(check, tracer, one, f"functions of {one}")
        three_calls(check, tracer, other, f"functions of {other}")
        with open(other, "r+b") as f:
            head = f.read(16)
            f.seek(0)
            f.write(head)
        wait_log(tracer, f"the probes from {other}")
        check_own(check, tracer, [three_calls(check, tracer, one)])
    finally:
        for place in list(layers.places):
            layers.leave(place)


def deaf_server(answers=None):
    """Its port: who has shaken hands there is not read; he is answered as soon as the event @answers is set."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*fake.certs.make(paths.CERTS)[1:])
    listener, kept = socket.create_server(("127.0.0.1", 0)), []

    def serve():
        while True:
            kept.append(context.wrap_socket(listener.accept()[0], server_side=True))
            if answers and answers.wait(60):
                kept[-1].sendall(b"HTTP/1.1 413 Too Large\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}")

    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


def table(name):
    """A table of the kernel side: (key, its bytes)."""
    if not shutil.which("bpftool"):
        raise tap.Skip("no bpftool")
    dump = subprocess.run(["bpftool", "-j", "map", "dump", "name", name], capture_output=True, text=True, check=True)
    return [(entry["formatted"]["key"], entry["key"]) for entry in json.loads(dump.stdout)]


def writers():
    return [key["tgid"] for key, _ in table("st_go_writing")]


def test_a_write_whose_entry_was_forgotten_is_told_all_the_same(check):
    answers = threading.Event()
    tracer = spantap.Spantap(env=env())
    line = [PROGRAMS["stripped"], "cut", f"localhost:{deaf_server(answers)}", PATH, "forgotten-1"]
    with subprocess.Popen(line, env=env(), stdout=subprocess.PIPE, text=True) as client:
        proc.wait_for("a write that is under way", lambda: client.pid in writers())
        calls = [raw for key, raw in table("st_go_calls") if key["tgid"] == client.pid and key["dir"] == 1]
        check.equal(len(calls), 1, "entries of the write")
        for raw in calls:
            subprocess.run(["bpftool", "map", "delete", "name", "st_go_calls", "key", *raw], check=True)
        answers.set()
        told = json.loads(client.stdout.readline())
    spans = [s["attributes"] for s in tracer.wait_spans(1, where=spantap.is_model_call)]
    spans = [s for s in spans if s["spantap.capture"] == "go"]
    check.equal([s.get("spantap.request.stream_bytes") for s in spans], [told["sent"]], "bytes of the request")
    check.equal(spantap.balanced(tracer.stop().summary), 0, "difference of the ledger")


def test_a_write_in_which_a_process_was_killed_is_forgotten(check):
    tracer = spantap.Spantap(env=env())
    line = [PROGRAMS["stripped"], "cut", f"localhost:{deaf_server()}", PATH, "killed-1"]
    with subprocess.Popen(line, env=env()) as client:
        proc.wait_for("a write that is under way", lambda: client.pid in writers())
        client.kill()
        client.wait()
        check.that(proc.wait_for("no write", lambda: client.pid not in writers(), 30), "it is forgotten")
    check.equal(spantap.balanced(tracer.stop().summary), 0, "difference of the ledger")


def test_the_program_is_listed_with_its_version(check):
    client = GoSteps()
    told = subprocess.run([paths.SPANTAP, "targets", "--json"], capture_output=True, text=True, timeout=60)
    client.end()
    listed = [t for t in json.loads(told.stdout) if t["path"] == PROGRAMS["stripped"]]
    check.must(len(listed) == 1, f"{len(listed)} targets")
    version = subprocess.run(["go", "env", "GOVERSION"], capture_output=True, text=True).stdout
    check.equal(listed[0]["family"], "go", "family")
    check.equal(listed[0]["version"], "Go " + version.split()[0].removeprefix("go"), "version")
    check.equal(listed[0]["found_by"], "pclntab", "how it was found")
    check.that(listed[0]["attached"] > 4 and "why_not" not in listed[0], f"probes: {listed[0]}")


if __name__ == "__main__":
    tap.main(sys.modules[__name__], setup)
