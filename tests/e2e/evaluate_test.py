#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""spantap's traces are good for what users do with traces: genai.evaluate with built-in scorers, search_traces with
filters."""

import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import fake, mlflow, paths, spantap, tap  # noqa: E402
from harness.steps import CLIENTS  # noqa: E402

VERDICT = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": "judge",
    "choices": [
        {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": '{"result": "yes", "rationale": "fine"}'},
        }
    ],
    "usage": {"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2},
}
STEPS = (
    "call /v1/chat/completions eval-1\ncall /v1/chat/completions eval-2\n"
    "stream /x/events=9/v1/chat/completions eval-3 0\nrest\n"
    "call /v1/embeddings eval-4\ncall /x/status=400/v1/chat/completions eval-5\ncall /v1/messages eval-6\n"
)
FILTERS = {
    "span.type = 'CHAT_MODEL'": 5,
    "span.type = 'EMBEDDING'": 1,
    "span.name = 'Completions'": 4,
    "name = 'Completions'": 4,
    "name = 'Messages.create'": 1,
    "status = 'ERROR'": 1,
    "status = 'OK'": 5,
    "span.status = 'ERROR'": 1,
    "trace.text LIKE '%eval-3%'": 1,
    "name = 'nothing'": 0,
}


def setup():
    spantap.need_spantap()


def make_traces(check):
    server, provider = mlflow.shared(), fake.Provider({"judge": [{"status": 200, "body": VERDICT}]})
    experiment, number = server.experiment()
    result, _ = spantap.run(
        [sys.executable, os.path.join(CLIENTS, "steps.py"), f"localhost:{provider.tls_port}", provider.ca],
        server=server,
        experiment=experiment,
        stdin=STEPS.encode(),
        otlp=False,
        env=fake.client_env(),
    )
    check.must(result.status == 0 and len(server.search(number)) == 6, f"{len(server.search(number))} traces: {result}")
    return server, provider, number


def test_evaluate_with_built_in_scorers_and_search_with_filters(check):
    server, provider, number = make_traces(check)
    judge = provider.url(case="judge") + "/v1"
    env = fake.client_env(
        MLFLOW_TRACKING_URI=server.url, OPENAI_BASE_URL=judge, OPENAI_API_BASE=judge, MLFLOW_DISABLE_TELEMETRY="true"
    )
    done = subprocess.run(
        [paths.CLIENT_PYTHON, os.path.join(CLIENTS, "evaluate.py"), number],
        input=json.dumps(FILTERS).encode(),
        capture_output=True,
        env=env,
        timeout=180,
    )
    check.must(done.returncode == 0, done.stderr.decode()[-3000:])
    said = json.loads(done.stdout.splitlines()[-1])
    check.equal(said["found"], FILTERS, "traces found by filters")
    for column in ("trace_id", "request", "response", "spans", "state"):
        check.that(column in said["columns"], f"search_traces has no column {column}")
    check.equal(sum("eval-" in r for r in said["requests"]), 6, "requests in the table that hold the question")
    for name in ("regex_match", "response_length", "pii_detection", "relevance_to_query", "safety"):
        check.that(f"{name}/mean" in said["metrics"], f"no metric {name}: {said['metrics']}")
    for assessments in said["assessments"]:
        check.equal(
            [a[0] for a in assessments],
            ["pii_detection", "regex_match", "relevance_to_query", "response_length", "safety"],
            "assessments of a trace",
        )
        check.equal([a for a in assessments if a[2]], [], "scorers that failed")
    provider.stop()


def test_sessions_that_the_wire_names_are_found(check):
    """A session id that an agent sends in a header is the trace's session, without quotes."""
    server, provider = mlflow.shared(), fake.Provider()
    experiment, number = server.experiment()
    body = '{"model":"claude-sonnet-4-5","max_tokens":9,"messages":[{"role":"user","content":"hello"}]}'
    command = [
        "curl",
        "--silent",
        "--http1.1",
        "--data-binary",
        body,
        "-H",
        "Content-Type: application/json",
        "-H",
        "anthropic-version: 2023-06-01",
        "-H",
        "x-claude-code-session-id: 0f7e-session",
        provider.url() + "/v1/messages",
    ]
    result, _ = spantap.run(command, server=server, experiment=experiment, otlp=False, env=fake.client_env())
    check.must(result.status == 0, repr(result))
    found = server.search(number, "metadata.`mlflow.trace.session` = '0f7e-session'")
    check.equal(len(found), 1, "traces found by their session")
    provider.stop()


if __name__ == "__main__":
    tap.main(sys.modules[__name__], setup)
