# SPDX-License-Identifier: Apache-2.0
"""The clients of e2e/clients, driven from a test."""

import json
import os
import re
import signal
import subprocess
import sys

from . import fake, paths, proc

CLIENTS = os.path.join(paths.TOP, "tests", "e2e", "clients")
TAG = re.compile(r"\[([A-Za-z]+-\d+)\]")


def tag_of(span):
    """The tag that a client put into its prompt, from the otlp or from the MLflow attributes."""
    attributes = span["attributes"]
    text = attributes.get("gen_ai.input.messages") or json.dumps(attributes.get("mlflow.spanInputs", ""))
    found = TAG.search(text)
    return found[1] if found else None


class Steps:
    """clients/steps.py: one step at a time."""

    def __init__(self, provider, address=None, tls=True, python=sys.executable):
        address = address or (f"localhost:{provider.tls_port}" if tls else f"localhost:{provider.plain_port}")
        command = [python, os.path.join(CLIENTS, "steps.py"), address] + ([provider.ca] if tls else [])
        self.process = proc.Process(
            command, "steps", stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=fake.client_env()
        )
        self.pid = self.answer()["pid"]

    def answer(self, timeout=30):
        return json.loads(proc.read_line(self.process.popen.stdout.fileno(), timeout, "the client's answer"))

    def step(self, *words):
        self.process.popen.stdin.write((" ".join(map(str, words)) + "\n").encode())
        self.process.popen.stdin.flush()
        return self.answer()

    def end(self):
        self.process.popen.stdin.close()
        self.process.wait(20)
        self.process.popen.stdout.close()

    def kill(self):
        os.kill(self.pid, signal.SIGKILL)
        self.process.popen.wait(10)
        self.process.forget()


class Load:
    """clients/load.py: a steady load from go() until stop(), which returns the calls made, by tag."""

    def __init__(self, provider, rate, prefix, **options):
        self.out = os.path.join(proc.scratch("load"), "out")
        url = provider.url(**options) + "/v1/chat/completions"
        with open(self.out, "wb") as out:
            self.process = proc.Process(
                [sys.executable, os.path.join(CLIENTS, "load.py"), url, provider.ca, str(rate), prefix],
                "load",
                stdin=subprocess.PIPE,
                stdout=out,
                env=fake.client_env(),
            )
        self.pid = self.process.pid

    def go(self):
        self.process.popen.stdin.write(b"go\n")
        self.process.popen.stdin.close()
        return self

    def made(self):
        with open(self.out) as f:
            return {c["tag"]: c for c in map(json.loads, (line for line in f if line.endswith("}\n")))}

    def stop(self):
        if self.process.stop() != 0:
            raise RuntimeError(f"the load failed\n{self.process.log()}")
        return self.made()
