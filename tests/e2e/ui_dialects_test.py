#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""MLflow's page shows every family of dialects as a conversation or as documents, not as the bare fields of a payload
that it cannot read. The pictures stay under build/screenshots."""

import json
import os
import re
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import fake, mlflow, paths, proc, spantap, tap  # noqa: E402
from harness.pages import Pages  # noqa: E402
from harness.steps import CLIENTS  # noqa: E402

sys.path.insert(0, CLIENTS)
import ui_exchanges as ui  # noqa: E402

PAGES = NUMBER = TRACES = None


def setup():
    global PAGES, NUMBER, TRACES
    spantap.need_spantap()
    server = mlflow.shared()
    PAGES = Pages(server)
    files, directory = [], proc.scratch("exchanges")
    exchanges = {**ui.CONVERSATIONS, **ui.OTHERS}
    for name, exchange in exchanges.items():
        files.append(os.path.join(directory, f"{name}.json"))
        with open(files[-1], "w") as f:
            json.dump(ui.as_gold(name, exchange), f)
    provider = fake.Provider({n: [ui.as_gold(n, e)["exchanges"][0]["response"]] for n, e in exchanges.items()})
    experiment, NUMBER = PAGES.genai_experiment()
    player = os.path.join(paths.TOP, "tests", "gold", "player.py")
    result, _ = spantap.run(
        [sys.executable, player, str(provider.tls_port), provider.ca, *files],
        server=server,
        experiment=experiment,
        otlp=False,
        env=fake.client_env(),
    )
    provider.stop()
    TRACES = {case_of(t): t["info"]["trace_id"] for t in server.traces(NUMBER)}
    if set(TRACES) != set(exchanges):
        raise tap.Failed(f"traces of {sorted(map(str, TRACES))} alone: {result}")


def case_of(trace):
    found = [re.search(r"/x/case=([^/]*)/", str(s["attributes"].get("url.path"))) for s in trace["spans"]]
    return next((f[1] for f in found if f), None)


def panel(name, *words):
    """(inputs, outputs): the lines that the span's own panel shows of each."""
    url = f"/#/experiments/{NUMBER}/traces/{TRACES[name]}"
    text = PAGES.text(f"dialect-{name}", url, "Inputs / Outputs", "Pretty", *words)
    panel = text[text.rindex("Inputs / Outputs") :].splitlines()[1:]
    at = panel.index("Outputs")
    return panel[panel.index("Inputs") + 1 : at], panel[at + 1 :]


def holds(check, lines, wanted, what):
    """@wanted, one after the other: a card is its role and below it its text."""
    rest = iter(lines)
    check.that(all(word in rest for word in wanted), f"{what} show {lines} and not the cards {wanted}")


def check_conversation(check, name):
    inputs, outputs = panel(name, "Assistant")
    holds(check, inputs, ["User", ui.QUESTION], "inputs")
    check.that(any(ui.SYSTEM in line for line in inputs), "no system instructions")
    holds(check, outputs, ["Assistant"], "outputs")
    check.that({ui.ANSWER, "Tool calls", "get_weather", ui.CITY["city"]} <= set(outputs), f"no call in {outputs}")


def test_chat_completions_are_a_conversation(check):
    check_conversation(check, "openai")


def test_responses_are_a_conversation(check):
    check_conversation(check, "responses")


def test_responses_with_a_servers_own_search_are_a_conversation(check):
    check_conversation(check, "responses-search")


def test_anthropics_messages_are_a_conversation(check):
    check_conversation(check, "anthropic")


def test_geminis_contents_are_a_conversation(check):
    check_conversation(check, "gemini")


def test_bedrocks_converse_is_a_conversation(check):
    check_conversation(check, "bedrock")


def test_coheres_chat_is_a_conversation(check):
    check_conversation(check, "cohere")


def test_dashscopes_generation_is_a_conversation(check):
    check_conversation(check, "dashscope")


def test_mistrals_chat_with_its_thoughts_is_a_conversation(check):
    check_conversation(check, "mistral")


def test_mistrals_conversations_are_a_conversation(check):
    check_conversation(check, "mistral-conversation")


def test_ollamas_chat_is_a_conversation(check):
    check_conversation(check, "ollama")


def test_a_tool_by_mcp_shows_its_arguments_and_its_result(check):
    inputs, outputs = panel("mcp", ui.ANSWER)
    holds(check, inputs, ["city", ui.CITY["city"]], "inputs")
    holds(check, outputs, [ui.ANSWER], "outputs")
    check.that("jsonrpc" not in " ".join(inputs + outputs), "the envelope of the call is not shown")


def check_documents(check, name):
    _, outputs = panel(name, *ui.DOCUMENTS)
    holds(check, outputs, [ui.DOCUMENTS[0], "score", "0.9", ui.DOCUMENTS[1], "score", "0.1"], "outputs")
    check.that("page_content" not in " ".join(outputs), "the documents are shown as bare fields")


def test_what_a_reranker_put_in_order_is_documents(check):
    check_documents(check, "rerank")


def test_what_dashscopes_reranker_put_in_order_is_documents(check):
    check_documents(check, "dashscope-rerank")


def test_what_a_retriever_found_is_documents(check):
    check_documents(check, "retrieve")


if __name__ == "__main__":
    tap.main(sys.modules[__name__], setup)
