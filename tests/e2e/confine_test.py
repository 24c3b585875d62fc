#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The process that parses traffic can do nothing else: no rights, no new ones, no other system calls. And all that it must
do it still can: names resolved, plain and encrypted sinks, the spool, an end in order."""

import http.server
import os
import signal
import ssl
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import fake, paths, proc, spantap, tap  # noqa: E402
from harness.steps import Load  # noqa: E402

sys.path.insert(0, os.path.dirname(paths.PROVIDER))
import certs  # noqa: E402

PROVIDER = None


def setup():
    global PROVIDER
    spantap.need_spantap()
    PROVIDER = fake.Provider()


class Sink:
    """Takes whatever is posted."""

    def __init__(self, tls=False):
        taken = self.taken = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                taken.append(self.rfile.read(int(self.headers["Content-Length"])))
                self.send_response(200)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        if tls:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certs.make(paths.CERTS)[1:])
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http{'s' if tls else ''}://localhost:{self.server.server_address[1]}/v1/traces"


def reader_of(tracer):
    for pid in open(f"/proc/{tracer.process.pid}/task/{tracer.process.pid}/children").read().split():
        if open(f"/proc/{pid}/comm").read().strip() == "spantap-pipe":
            return pid
    return None


def facts(path):
    with open(path) as f:
        return dict(line.rstrip("\n").split(":\t", 1) for line in f if ":\t" in line)


def test_the_reader_is_confined_in_every_thread_and_delivers(check):
    plain, encrypted = Sink(), Sink(tls=True)
    load = Load(PROVIDER, 20, "confined")
    env = dict(spantap.clean_env(), MLFLOW_TRACKING_SERVER_CERT_PATH=certs.make(paths.CERTS)[0])
    sinks = ["--sink", f"otlp:{plain.url}", "--sink", f"otlp:{encrypted.url}", "--sink", "console"]
    tracer = spantap.Spantap("--pid", str(load.pid), *sinks, env=env)
    load.go()
    proc.wait_for("deliveries", lambda: plain.taken and encrypted.taken, 30)
    reader = reader_of(tracer)
    tasks = os.listdir(f"/proc/{reader}/task")
    check.that(len(tasks) >= 2, f"the delivery's thread is there: {tasks}")
    for task in tasks:
        status = facts(f"/proc/{reader}/task/{task}/status")
        check.equal(status["Seccomp"].strip(), "2", f"Seccomp of thread {task}")
        check.equal(status["NoNewPrivs"].strip(), "1", f"NoNewPrivs of thread {task}")
        check.equal(int(status["CapEff"], 16) | int(status["CapPrm"], 16), 0, f"capabilities of thread {task}")
    made = load.stop()
    tracer.wait_spans(len(made))
    result = tracer.stop()
    check.equal(result.status, 0, "status")
    check.equal(result.summary["records"]["waiting"] + result.summary["records"]["dead"], 0, "records not delivered")
    check.equal(result.summary["calls"], len(made), "calls")
    check.equal(result.stdout.count("\n"), len(made), "lines on the console")


def test_a_refused_system_call_ends_with_a_clear_word(check):
    """What the kernel would do to a reader that was taken over, done by hand: the same signal."""
    load = Load(PROVIDER, 5, "refused")
    tracer = spantap.Spantap("--pid", str(load.pid), "--sink", "none")
    os.kill(int(reader_of(tracer)), signal.SIGSYS)
    status = tracer.process.wait(20)
    log = tracer.process.log(20000)
    check.equal(status, 1, "status")
    check.that("asked the kernel" in log, f"the cause is named: {log}")
    load.go()
    load.stop()


if __name__ == "__main__":
    tap.main(sys.modules[__name__], setup)
