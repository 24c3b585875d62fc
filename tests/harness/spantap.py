# SPDX-License-Identifier: Apache-2.0
"""spantap as its users run it: by its command line, its exit status, its summary, and what arrives at the sinks."""

import json
import os
import signal
import subprocess

from . import paths, proc
from .tap import need_spantap


class Result:
    def __init__(self, status, stdout, stderr, summary):
        self.status, self.stdout, self.stderr, self.summary = status, stdout, stderr, summary

    def __repr__(self):
        return f"status {self.status}, summary {self.summary}\nstderr: {self.stderr[-3000:]}"


def read_json(path):
    try:
        with open(path) as f:
            return json.load(f)
    except (OSError, ValueError):
        return None


def read_otlp(path):
    """All spans of an otlp-file, with attributes as a plain dict (the OTLP JSON encoding undone)."""
    spans = []
    try:
        with open(path) as f:
            lines = f.read().split("\n")[:-1]
    except FileNotFoundError:
        return spans
    for line in lines:
        for resource in json.loads(line).get("resourceSpans", []):
            for scope in resource.get("scopeSpans", []):
                for span in scope.get("spans", []):
                    span["attributes"] = plain(span.get("attributes", []))
                    span["resource"] = plain(resource.get("resource", {}).get("attributes", []))
                    span["events"] = [
                        dict(e, attributes=plain(e.get("attributes", []))) for e in span.get("events", [])
                    ]
                    spans.append(span)
    return spans


def plain(attributes):
    return {a["key"]: any_value(a.get("value", {})) for a in attributes}


def any_value(value):
    if "arrayValue" in value:
        return [any_value(v) for v in value["arrayValue"].get("values", [])]
    if "kvlistValue" in value:
        return plain(value["kvlistValue"].get("values", []))
    if "intValue" in value:
        return int(value["intValue"])
    return next(iter(value.values()), None)


class Spantap:
    """One spantap that runs beside the test: the whole host, or what the arguments select, until stop()."""

    def __init__(
        self, *args, command="run", env=None, server=None, experiment=None, state=None, otlp=True, cmd=None, wait=True
    ):
        need_spantap()
        self.directory = proc.scratch("spantap")
        self.state = state or os.path.join(self.directory, "state")
        self.summary_path = os.path.join(self.directory, "summary")
        self.otlp_path = os.path.join(self.directory, "spans")
        self.stdout_path = os.path.join(self.directory, "stdout")
        self.arguments = self.options(server, experiment, otlp) + list(args)
        self.command, self.env, self.cmd = command, env or clean_env(), cmd
        self.start(wait)

    def options(self, server, experiment, otlp):
        options = ["--state-dir", self.state, "--summary", self.summary_path]
        if server:
            options += ["--sink", f"mlflow:{server.url}"]
        if experiment:
            options += ["--experiment", experiment]
        if otlp:
            options += ["--sink", f"otlp-file:{self.otlp_path}"]
        return options

    def start(self, wait=True):
        self.ready_fd, write_end = os.pipe()
        line = [paths.SPANTAP, self.command, "--ready-fd", str(write_end)] + self.arguments
        if self.cmd:
            line += ["--"] + self.cmd
        with open(self.stdout_path, "ab") as out:
            self.process = proc.Process(
                line,
                "spantap",
                env=self.env,
                stdout=out,
                pass_fds=(write_end,),
                log=os.path.join(self.directory, "log"),
            )
        os.close(write_end)
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self, timeout=60):
        try:
            line = proc.read_line(self.ready_fd, timeout, "spantap READY")
        except (EOFError, TimeoutError) as e:
            raise RuntimeError(f"{e}\n{self.process.log()}") from None
        assert line == "READY", line
        os.close(self.ready_fd)

    def summary(self):
        return read_json(self.summary_path)

    def spans(self):
        return read_otlp(self.otlp_path)

    def wait_spans(self, count, timeout=30.0, where=lambda span: True):
        """The spans of model calls in the otlp-file, as soon as there are @count of them."""

        def found():
            return [s for s in self.spans() if where(s)]

        proc.wait_for(f"{count} spans", lambda: len(found()) >= count, timeout, every=0.1)
        return found()

    def stop(self, number=signal.SIGINT, timeout=90.0):
        status = self.process.stop(number, timeout)
        with open(self.stdout_path, errors="replace") as f:
            return Result(status, f.read(), self.process.log(20000), self.summary())

    def wait(self, timeout=120.0):
        return self.stop(signal.SIGCONT, timeout)

    def kill(self):
        """Not the group: the attacher and the pipeline must both end when the one that the user sees is killed."""
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.popen.wait(10)
        self.process.forget()


def clean_env():
    return {k: v for k, v in os.environ.items() if not k.startswith(("MLFLOW_", "OTEL_", "SPANTAP_"))}


def run(
    cmd,
    *args,
    server=None,
    experiment=None,
    env=None,
    otlp=True,
    timeout=120.0,
    stdin=None,
    state=None,
    command="run",
    sinks=True,
    cwd=None,
):
    """`spantap run … -- CMD` to its end. Returns (Result, spans of the otlp-file)."""
    need_spantap()
    directory = proc.scratch("run")
    summary, spans = os.path.join(directory, "summary"), os.path.join(directory, "spans")
    line = [paths.SPANTAP, command, "--state-dir", state or os.path.join(directory, "state"), "--summary", summary]
    if server:
        line += ["--sink", f"mlflow:{server.url}"]
    if experiment:
        line += ["--experiment", experiment]
    if otlp:
        line += ["--sink", f"otlp-file:{spans}"]
    elif sinks and not server:
        line += ["--sink", "none"]
    process = subprocess.Popen(
        line + list(args) + (["--"] + cmd if cmd else []),
        env=env or clean_env(),
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        stdin=subprocess.PIPE if stdin is not None else subprocess.DEVNULL,
        preexec_fn=proc._die_with_parent,
    )
    try:
        out, err = process.communicate(stdin, timeout)
    except subprocess.TimeoutExpired:
        process.kill()
        out, err = process.communicate()
        raise TimeoutError(
            f"{' '.join(line[:3])} … has not ended within {timeout:g} s\n{err.decode(errors='replace')[-3000:]}"
        ) from None
    status = 128 - process.returncode if process.returncode < 0 else process.returncode
    result = Result(status, out.decode(errors="replace"), err.decode(errors="replace"), read_json(summary))
    return result, read_otlp(spans)


def balanced(summary):
    """What INTERFACE.md promises of every summary: seen = captured + missing, to the byte. Returns the difference."""
    counts = summary["bytes"]
    missing = counts["missing"]
    return counts["seen"] - counts["captured"] - (sum(missing.values()) if isinstance(missing, dict) else missing)


def is_model_call(span):
    """A span of one exchange, not the logical call above its attempts."""
    return "http.request.body.size" in span["attributes"]
