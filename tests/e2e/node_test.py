#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Node with the real openai and @anthropic-ai/sdk packages: every call, with what the provider said."""

import hashlib
import os
import shutil
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import fake, paths, spantap, tap, wire  # noqa: E402
from harness.steps import CLIENTS, tag_of  # noqa: E402

DIALECTS = {
    "node-1": "openai.chat",
    "node-2": "openai.chat",
    "node-3": "openai.chat",
    "node-4": "openai.responses",
    "node-6": "anthropic.messages",
    "node-7": "anthropic.messages",
    "node-8": "openai.chat",
    "node-9": "openai.chat",
}


def setup():
    spantap.need_spantap()
    if not shutil.which("node") or not os.path.isdir(os.path.join(paths.NODE_DIR, "node_modules")):
        raise tap.Skip("no node, or no packages for it: run tests/setup/clients.sh node")


def test_every_call_of_the_node_sdks_is_captured_whole(check):
    provider = fake.Provider()
    env = fake.client_env(provider, NODE_DIR=paths.NODE_DIR)
    result, spans = spantap.run(["node", os.path.join(CLIENTS, "sdk.mjs")], env=env)
    check.must(result.status == 0, repr(result))
    truth = provider.truth()
    spans = [s for s in spans if spantap.is_model_call(s)]
    check.equal(len(spans), len(truth), "calls captured")
    by_tag = {tag_of(s): s["attributes"] for s in spans}
    check.equal(set(DIALECTS) - set(by_tag), set(), "calls that were missed")
    sha = {t["text_sha"] for t in truth}
    for tag, dialect in DIALECTS.items():
        attributes = by_tag.get(tag, {})
        check.equal(attributes.get("spantap.dialect"), dialect, f"dialect of {tag}")
        check.equal(attributes.get("spantap.complete"), True, f"spantap.complete of {tag}")
        check.equal(attributes.get("server.port"), provider.tls_port, f"peer of {tag}")
        check.equal(attributes.get("spantap.peer_evidence"), "ciphertext", f"how the peer of {tag} is known")
        check.equal(attributes.get("network.peer.address"), "127.0.0.1", f"peer's address of {tag}")
        seen = wire.of_parts(attributes)
        check.that(
            tag == "node-3" or hashlib.sha256("".join(seen.get("text", [])).encode()).hexdigest() in sha,
            f"text of {tag}",
        )
    check.equal(
        wire.of_parts(by_tag.get("node-3", {})).get("tools"),
        [("get_weather", {"city": "Paris"})],
        "tool call of node-3",
    )
    check.equal(spantap.balanced(result.summary), 0, "difference of the ledger")
    provider.stop()


if __name__ == "__main__":
    tap.main(sys.modules[__name__], setup)
