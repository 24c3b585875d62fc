#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Starts MLflow (unless MLFLOW_TRACKING_URI names one) and spantap on the whole host, proves the path once with the
sample agent, prints its trace, and stays until Ctrl-C. What it started it stops, spantap first, so that nothing is
lost."""

import base64
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(TOP, os.environ.get("BUILD", "build"))
HOME = os.path.join(BUILD, "run")
EXPERIMENT = os.environ.get("MLFLOW_EXPERIMENT_NAME") or "spantap"
SAMPLE_WAIT_S = 60


class Stop(Exception):
    """Ctrl-C or SIGTERM."""


def say(text):
    print(f"==> {text}", flush=True)


def port_is_free(port):
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port():
    """MLflow's usual port, so that the URL is the same every day, or any other."""
    if port_is_free(5000):
        return 5000
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        say(f"port 5000 is in use, taking {s.getsockname()[1]}")
        return s.getsockname()[1]


class Mlflow:
    def __init__(self, url=None):
        self.process, self.url = None, url

    @classmethod
    def started(cls):
        server = cls(f"http://127.0.0.1:{free_port()}")
        data = os.path.join(HOME, "mlflow")
        os.makedirs(data, exist_ok=True)
        env = dict(
            os.environ,
            MLFLOW_DISABLE_TELEMETRY="true",
            MLFLOW_MODEL_CATALOG_URI="",
            MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false",
        )
        server.log = os.path.join(data, "log")
        with open(server.log, "ab") as log:
            server.process = subprocess.Popen(
                [
                    os.path.join(BUILD, "venv-mlflow", "bin", "python"),
                    "-m",
                    "mlflow",
                    "server",
                    "--host",
                    "127.0.0.1",
                    "--port",
                    server.url.rsplit(":", 1)[1],
                    "--workers",
                    "1",
                    "--backend-store-uri",
                    f"sqlite:///{data}/mlflow.db",
                    "--artifacts-destination",
                    f"{data}/artifacts",
                ],
                env=env,
                cwd=data,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        return server

    def request(self, method, path, body=None):
        headers = {"Content-Type": "application/json"}
        user, token = os.environ.get("MLFLOW_TRACKING_USERNAME"), os.environ.get("MLFLOW_TRACKING_TOKEN")
        if user:
            pair = f"{user}:{os.environ.get('MLFLOW_TRACKING_PASSWORD', '')}"
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        elif token:
            headers["Authorization"] = f"Bearer {token}"
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.url.rstrip("/") + path, data, headers, method=method)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read()

    def healthy(self):
        try:
            return self.request("GET", "/health") == b"OK"
        except (OSError, http.client.HTTPException):
            return False

    def ready(self):
        begun, told = time.monotonic(), 0
        while not self.healthy():
            waited = time.monotonic() - begun
            if self.process.poll() is not None:
                sys.exit(f"MLflow ended by itself; its log is {self.log}")
            if waited > 120:
                sys.exit(f"MLflow did not answer within 120 s; its log is {self.log}")
            if waited > told + 2:
                told = waited
                print(f"    waiting for MLflow: {waited:.0f} s", flush=True)
            time.sleep(0.1)
        print(f"    MLflow answers after {time.monotonic() - begun:.0f} s", flush=True)

    def experiment(self):
        try:
            answer = self.request("GET", f"/api/2.0/mlflow/experiments/get-by-name?experiment_name={EXPERIMENT}")
            return json.loads(answer)["experiment"]["experiment_id"]
        except urllib.error.HTTPError:
            return None

    def traces_between(self, since_ms, until_ms):
        """What of that time has arrived, a page at a time: a busy host has many traces beside the one looked for."""
        experiment, page = self.experiment(), None
        while experiment is not None:
            query = {
                "locations": [{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment}}],
                "filter": f"timestamp_ms > {since_ms} AND timestamp_ms < {until_ms}",
                "max_results": 100,
                **({"page_token": page} if page else {}),
            }
            answer = json.loads(self.request("POST", "/api/3.0/mlflow/traces/search", query))
            yield from answer.get("traces", [])
            page = answer.get("next_page_token")
            if not page:
                return

    def sample_trace(self, since_ms, until_ms):
        """The sample agent's trace that began between, with its spans, or None twice."""
        for info in self.traces_between(since_ms, until_ms):
            if "Paris" not in info.get("response_preview", ""):
                continue
            spans = json.loads(
                self.request("GET", f"/ajax-api/3.0/mlflow/get-trace-artifact?request_id={info['trace_id']}")
            )["spans"]
            if any("Paris" in span["attributes"].get("mlflow.spanOutputs", "") for span in spans):
                return info, spans
        return None, None

    def trace_url(self, info):
        return f"{self.url.rstrip('/')}/#/experiments/{self.experiment()}/traces/{info['trace_id']}"

    def stop(self):
        if self.process and self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)


class Spantap:
    def __init__(self, server):
        read_end, write_end = os.pipe()
        command = [
            os.path.join(BUILD, "spantap"),
            "run",
            "--sink",
            f"mlflow:{server.url}",
            "--sink",
            "console",
            "--experiment",
            EXPERIMENT,
            "--state-dir",
            os.path.join(HOME, "state"),
            "--ready-fd",
            str(write_end),
        ]
        self.process = subprocess.Popen(
            command, pass_fds=(write_end,), stdin=subprocess.DEVNULL, start_new_session=True
        )
        os.close(write_end)
        self.ready_file = os.fdopen(read_end)

    def ready(self):
        if self.ready_file.readline().strip() != "READY":
            sys.exit(f"spantap did not start (status {self.process.wait()})")

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait()


def demo(server):
    """Runs the sample agent and prints the trace that came of it."""
    say("a sample agent asks about the weather in Paris (real openai package, real TLS, made-up provider)")
    since = int(time.time() * 1000) - 1000
    subprocess.run(
        [os.path.join(BUILD, "venv-agent", "bin", "python"), os.path.join(TOP, "deploy", "run", "agent.py")], check=True
    )
    until = int(time.time() * 1000)
    while time.time() * 1000 < until + SAMPLE_WAIT_S * 1000:
        info, spans = server.sample_trace(since, until)
        if info:
            show_trace(info, spans)
            say(f"in MLflow: {server.trace_url(info)}")
            return
        time.sleep(0.1)
    say(f"the trace of the sample agent has not arrived within {SAMPLE_WAIT_S} s; spantap goes on trying")


def show_trace(info, spans):
    say(f"trace {info['trace_id']}: {info['state']}, {info.get('execution_duration')}")
    for span in spans:
        attributes = span["attributes"]
        print(f"    {'' if span['parent_span_id'] is None else '  '}{span['name']}")
        for name in sorted(attributes):
            if not name.startswith("mlflow.trace"):
                text = " ".join(attributes[name].split())
                print(f"      {name:44} {text if len(text) < 160 else text[:157] + '...'}")


def main():
    def stop(*_):
        raise Stop

    signal.signal(signal.SIGINT, stop)
    signal.signal(signal.SIGTERM, stop)
    os.makedirs(HOME, exist_ok=True)
    server, tracer, status = None, None, 0
    try:
        uri = os.environ.get("MLFLOW_TRACKING_URI")
        server = Mlflow(uri) if uri else Mlflow.started()
        if server.process:
            say(f"starting MLflow on {server.url}")
            server.ready()
        say("starting spantap on the whole host")
        tracer = Spantap(server)
        tracer.ready()
        if os.environ.get("DEMO", "1") != "0":
            demo(server)
        say(f"every LLM call of this host, here and on {server.url} (experiment {EXPERIMENT}); Ctrl-C ends")
        status = tracer.process.wait()
    except Stop:
        print(flush=True)
        say("stopping: what was seen is delivered first")
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        if tracer:
            status = tracer.stop() or status
        if server:
            server.stop()
    return status


if __name__ == "__main__":
    sys.exit(main())
