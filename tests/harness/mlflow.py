# SPDX-License-Identifier: Apache-2.0
"""A real MLflow server, and the few REST calls that tests need. Nothing of the mlflow package is imported here."""

import fcntl
import http.client
import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

from . import paths, proc
from .tap import Failed

# Without these the server asks the outside for prices and telemetry, inside the requests under test.
SERVER_ENV = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_MODEL_CATALOG_URI": "",
    "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
}


class Server:
    """A handle by URL; one that this program started can also be stopped and killed."""

    def __init__(self, url, process=None, directory=None):
        self.url, self.process, self.directory = url.rstrip("/"), process, directory

    # ---- REST ----
    def call(self, method, path, body=None, timeout=60):
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.url + path, data, {"Content-Type": "application/json"}, method=method)
        with urllib.request.urlopen(request, timeout=timeout) as answer:
            return json.loads(answer.read() or b"null")

    def healthy(self):
        try:
            with urllib.request.urlopen(self.url + "/health", timeout=5) as answer:
                return answer.read() == b"OK"
        except (OSError, http.client.HTTPException):
            return False

    def experiment(self, name=None):
        """(name, id) of an experiment, made when it is not there. Without a name: a fresh one."""
        name = name or f"t-{uuid.uuid4().hex[:12]}"
        try:
            return name, self.call("POST", "/api/2.0/mlflow/experiments/create", {"name": name})["experiment_id"]
        except urllib.error.HTTPError:
            return name, self.experiment_id(name)

    def experiment_id(self, name):
        query = urllib.parse.urlencode({"experiment_name": name})
        try:
            return self.call("GET", f"/api/2.0/mlflow/experiments/get-by-name?{query}")["experiment"]["experiment_id"]
        except urllib.error.HTTPError as e:
            if e.code == 404:
                return None
            raise

    def search(self, experiment, filter=None, limit=None):
        """TraceInfos of an experiment id, oldest first."""
        infos, token = [], None
        while True:
            body = {
                "locations": [{"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": experiment}}],
                "max_results": 500,
                "order_by": ["timestamp_ms ASC"],
            }
            if filter:
                body["filter"] = filter
            if token:
                body["page_token"] = token
            answer = self.call("POST", "/api/3.0/mlflow/traces/search", body)
            infos += answer.get("traces", [])
            token = answer.get("next_page_token")
            if not token or (limit and len(infos) >= limit):
                return infos

    def spans(self, trace_id):
        """As the UI gets them, sorted by start; attribute values decoded from their JSON text."""
        answer = self.call("GET", f"/ajax-api/3.0/mlflow/get-trace-artifact?request_id={trace_id}")
        spans = sorted(answer["spans"], key=lambda s: (int(s["start_time_unix_nano"]), s["parent_span_id"] is not None))
        for span in spans:
            span["attributes"] = {k: parse(v) for k, v in span["attributes"].items()}
        return spans

    def trace(self, info):
        return {"info": info, "spans": self.spans(info["trace_id"])}

    def traces(self, experiment, count=None, timeout=30.0, filter=None):
        """All traces of an experiment with their spans; with a count, as soon as there are that many."""
        if count:
            proc.wait_for(
                f"{count} traces in experiment {experiment}",
                lambda: len(self.search(experiment, filter)) >= count,
                timeout,
                every=0.2,
            )
        return [self.trace(info) for info in self.search(experiment, filter)]

    # ---- life ----
    def start(self):
        port = int(self.url.rsplit(":", 1)[1])
        env = {k: v for k, v in os.environ.items() if not k.startswith("MLFLOW_")}
        command = [
            paths.MLFLOW_PYTHON,
            "-m",
            "mlflow",
            "server",
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            "--workers",
            "1",
            "--backend-store-uri",
            f"sqlite:///{self.directory}/mlflow.db",
            "--artifacts-destination",
            f"{self.directory}/artifacts",
        ]
        self.process = proc.Process(
            command, "mlflow", env={**env, **SERVER_ENV}, log=f"{self.directory}/log", cwd=self.directory, guard=True
        )
        self.ready()
        return self

    def ready(self, timeout=120):
        def up():
            if self.process and not self.process.running():
                raise RuntimeError(f"MLflow ended\n{self.process.log()}")
            return self.healthy()

        proc.wait_for("MLflow's /health", up, timeout)

    def kill(self):
        self.process.send(signal.SIGKILL)
        self.process.wait(10)

    def stop(self):
        self.process.stop(timeout=30)


def parse(text):
    """MLflow keeps every attribute as JSON text; values that are not stay what they are."""
    try:
        return json.loads(text)
    except (ValueError, TypeError):
        return text


def own():
    """A server of this program alone, to be killed and restarted."""
    if not os.access(paths.MLFLOW_PYTHON, os.X_OK):
        raise Failed("no MLflow server: run tests/setup/mlflow.sh")
    return Server(f"http://127.0.0.1:{proc.free_port()}", directory=proc.scratch("mlflow")).start()


def session_pid():
    """The tests/run above us, if there is one: all programs that it starts share one server."""
    pid = os.getppid()
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as f:
            return pid if b"tests/run" in f.read() else os.getpid()
    except OSError:
        return os.getpid()


def shared():
    """The server that is shared: MLFLOW_TEST_URI, or one that lives as long as this run of tests/run (or this
    program)."""
    if os.environ.get("MLFLOW_TEST_URI"):
        return Server(os.environ["MLFLOW_TEST_URI"])
    if not os.access(paths.MLFLOW_PYTHON, os.X_OK):
        raise Failed("no MLflow server: run tests/setup/mlflow.sh")
    pid, base = session_pid(), os.path.join(paths.BUILD, "test")
    os.makedirs(base, exist_ok=True)
    with open(os.path.join(base, f"mlflow-{pid}.json"), "a+") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        f.seek(0)
        url = f.read()
        if not url or not Server(url).healthy():
            url = keep(pid, f.name)
            f.truncate(0)
            f.write(url)
    return Server(url)


def keep(pid, note):
    """Starts a keeper: a process that owns a server and ends it when process @pid is gone."""
    keeper = subprocess.Popen(
        [sys.executable, "-m", "harness.mlflow", str(pid), note],
        cwd=os.path.join(paths.TOP, "tests"),
        stdout=subprocess.PIPE,
        stdin=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    url = proc.read_line(keeper.stdout.fileno(), 150, "the keeper of MLflow")
    keeper.stdout.close()
    return url


def keeper(pid, note):
    watched = os.pidfd_open(pid)
    server = own()
    print(server.url, flush=True)
    os.close(1)
    while server.process.running():
        if proc.select.select([watched], [], [], 1.0)[0]:
            break
    time.sleep(0.1)
    server.stop()
    os.unlink(note)


if __name__ == "__main__":
    keeper(int(sys.argv[1]), sys.argv[2])
