#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""MLflow's own pages in a real browser show spantap's traces: inputs, outputs, tokens. The pictures stay under
build/screenshots."""

import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import fake, mlflow, spantap, tap  # noqa: E402
from harness.pages import Pages, shows  # noqa: E402
from harness.steps import CLIENTS  # noqa: E402

STEPS = (
    "call /v1/chat/completions picture-1\nstream /x/events=12,size=14/v1/chat/completions picture-2 0\nrest\n"
    "call /x/events=8/v1/messages picture-3\ncall /x/status=429/v1/chat/completions picture-4\n"
)
PAGES = NUMBER = INFOS = None


def setup():
    global PAGES, NUMBER, INFOS
    spantap.need_spantap()
    server = mlflow.shared()
    PAGES, provider = Pages(server), fake.Provider()
    experiment, NUMBER = PAGES.genai_experiment()
    result, _ = spantap.run(
        [sys.executable, os.path.join(CLIENTS, "steps.py"), f"localhost:{provider.tls_port}", provider.ca],
        server=server,
        experiment=experiment,
        stdin=STEPS.encode(),
        otlp=False,
        env=fake.client_env(),
    )
    provider.stop()
    INFOS = {i["request_preview"].split("]")[0].strip("["): i for i in server.search(NUMBER)}
    if len(INFOS) != 4:
        raise tap.Failed(f"{sorted(INFOS)} instead of four traces: {result}")


def test_the_list_shows_every_call_with_its_state_and_tokens(check):
    words = ["[picture-1] hello", "[picture-2] hello", "[picture-3] hello", "[picture-4] hello", "1205"]
    text = PAGES.text("traces", f"/#/experiments/{NUMBER}/traces", *words)
    shows(check, text, "traces", *words)


def test_a_trace_shows_inputs_outputs_and_tokens(check):
    words = ["Outputs", "Inputs", "[picture-1] hello", "000000 xxx", "1,205 tokens"]
    text = PAGES.text("trace", f"/#/experiments/{NUMBER}/traces/{INFOS['picture-1']['trace_id']}", *words)
    shows(check, text, "trace", *words, "Completions")


def test_an_anthropic_trace_shows_inputs_and_outputs(check):
    words = ["Outputs", "[picture-3] hello", "000007 xxx"]
    text = PAGES.text("trace-anthropic", f"/#/experiments/{NUMBER}/traces/{INFOS['picture-3']['trace_id']}", *words)
    shows(check, text, "trace-anthropic", *words, "Messages.create")


def test_a_failed_call_shows_its_error(check):
    words = ["[picture-4] hello", "Error"]
    text = PAGES.text("trace-error", f"/#/experiments/{NUMBER}/traces/{INFOS['picture-4']['trace_id']}", *words)
    shows(check, text, "trace-error", *words)


if __name__ == "__main__":
    tap.main(sys.modules[__name__], setup)
