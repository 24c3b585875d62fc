# SPDX-License-Identifier: Apache-2.0
"""The fake provider as a child process, and its truth."""

import json
import os
import subprocess
import sys

from . import paths, proc

sys.path.insert(0, os.path.dirname(paths.PROVIDER))
import certs  # noqa: E402


def python():
    """One that can make br and zstd, when the clients are set up, and HTTP/2, when the SDKs are."""
    able = (p for p in (paths.SDK_PYTHON, paths.CLIENT_PYTHON) if os.access(p, os.X_OK))
    return next(able, sys.executable)


class Server:
    """A fake in a process of its own that says its ports in one line of JSON and writes its truth to a file."""

    def launch(self, command, name):
        self.process = proc.Process(command, name, stdout=subprocess.PIPE, log=os.path.join(self.directory, "log"))
        self.pid = self.process.pid
        try:
            return json.loads(proc.read_line(self.process.popen.stdout.fileno(), 20, name))
        except EOFError:
            raise RuntimeError(f"the {name} did not start\n{self.process.log()}") from None

    def truth(self, count=None, timeout=20.0, where=lambda line: True):
        """The exchanges so far; with a count, as soon as there are that many."""

        def read():
            try:
                with open(self.truth_path) as f:
                    return [t for t in map(json.loads, f) if where(t)]
            except (FileNotFoundError, json.JSONDecodeError):
                return []

        if count is not None:
            proc.wait_for(f"{count} exchanges at the provider", lambda: len(read()) >= count, timeout)
        return read()

    def forget(self):
        """Starts a new count."""
        with open(self.truth_path, "w"):
            pass

    def stop(self):
        self.process.popen.stdout.close()
        self.process.stop()


class Side(Server):
    """websocket.py, xai.py or gemini_grpc.py: a carrier of its own beside the provider."""

    def __init__(self, program, interpreter=None, tls=False):
        self.directory = proc.scratch("provider")
        self.truth_path = os.path.join(self.directory, "truth")
        command = [interpreter or python(), os.path.join(os.path.dirname(paths.PROVIDER), program), "--truth", self.truth_path]
        if program == "websocket.py" or tls:
            _, cert, key = certs.make(paths.CERTS)
            command += ["--cert", cert, "--key", key]
        bound = self.launch(command, program)
        self.tls_port, self.plain_port = bound.get("tls"), bound.get("plain")


class Provider(Server):
    def __init__(self, script=None, plain=False, unix=None, tls=True, tls2=False):
        self.directory = proc.scratch("provider")
        self.truth_path = os.path.join(self.directory, "truth")
        self.ca, cert, key = certs.make(paths.CERTS)
        command = [python(), paths.PROVIDER, "--truth", self.truth_path]
        command += ["--cert", cert, "--key", key]
        if tls:
            command += ["--tls", "0"]
        if tls2:
            command += ["--tls2", "0"]
        if plain:
            command += ["--plain", "0"]
        if unix:
            command += ["--unix", unix]
        if isinstance(script, dict):
            self.script_path = os.path.join(self.directory, "script")
            with open(self.script_path, "w") as f:
                json.dump(script, f)
            command += ["--script", self.script_path]
        elif script:
            command += ["--script", script]
        bound = self.launch(command, "provider")
        self.tls_port, self.plain_port, self.unix = bound.get("tls"), bound.get("plain"), bound.get("unix")
        self.tls2_port = bound.get("tls2")

    def url(self, plain=False, **options):
        """The base URL without /v1; options steer the answers (see provider.py)."""
        text = ",".join(f"{k}={v}" for k, v in options.items())
        base = f"http://localhost:{self.plain_port}" if plain else f"https://localhost:{self.tls_port}"
        return base + (f"/x/{text}" if text else "")


def client_env(provider=None, **more):
    """The environment of a program under trace: the test CA, no proxy, nothing of this test's own MLflow settings."""
    env = {
        k: v
        for k, v in os.environ.items()
        if not k.startswith(("MLFLOW_", "OTEL_", "OPENAI_", "ANTHROPIC_", "SPANTAP_"))
    }
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        env.pop(name, None)
        env.pop(name.upper(), None)
    ca = certs.make(paths.CERTS)[0]
    env.update(
        SSL_CERT_FILE=ca,
        REQUESTS_CA_BUNDLE=ca,
        NODE_EXTRA_CA_CERTS=ca,
        CURL_CA_BUNDLE=ca,
        GRPC_DEFAULT_SSL_ROOTS_FILE_PATH=ca,
        PYTHONUNBUFFERED="1",
        OPENAI_API_KEY="sk-test-secret-0123456789",
        ANTHROPIC_API_KEY="sk-ant-test-secret-0123456789",
    )
    if provider and provider.tls_port:
        env.update(OPENAI_BASE_URL=provider.url() + "/v1", ANTHROPIC_BASE_URL=provider.url())
    env.update({k: str(v) for k, v in more.items()})
    return env
