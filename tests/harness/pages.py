# SPDX-License-Identifier: Apache-2.0
"""MLflow's pages in a real browser, as text and as pictures below build/screenshots."""

import os
import shutil
import subprocess

from . import paths
from .steps import CLIENTS
from .tap import Failed, Skip

SHOTS = os.path.join(paths.BUILD, "screenshots")


class Pages:
    def __init__(self, server):
        if not (shutil.which("chromium") or shutil.which("google-chrome")):
            raise Skip("no chromium")
        os.makedirs(SHOTS, exist_ok=True)
        self.server = server

    def text(self, name, url, *words):
        """What the page shows once all words are there. One more try: browsers hang now and then."""
        for attempt in (1, 2):
            try:
                done = subprocess.run(
                    [
                        paths.CLIENT_PYTHON,
                        os.path.join(CLIENTS, "browser.py"),
                        shot(name),
                        self.server.url + url,
                        *words,
                    ],
                    capture_output=True,
                    text=True,
                    timeout=100,
                )
                if done.returncode == 0:
                    return done.stdout
                failure = done.stderr
            except subprocess.TimeoutExpired:
                failure = "the browser hung"
        raise Failed(f"no page: {failure[-1000:]}")

    def genai_experiment(self):
        """(name, number) of a fresh experiment that opens on its traces."""
        name, number = self.server.experiment()
        self.server.call(
            "POST",
            "/api/2.0/mlflow/experiments/set-experiment-tag",
            {"experiment_id": number, "key": "mlflow.experimentKind", "value": "genai_development"},
        )
        return name, number


def shot(name):
    return os.path.join(SHOTS, f"{name}.png")


def shows(check, text, name, *words):
    for word in words:
        check.that(word in text, f"the page does not show {word!r}; see {shot(name)}")
