#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""rustls on AWS-LC, of which a stripped program has nothing but ciphers: each call is told once, whole, from its own connection."""

import hashlib
import http.client
import json
import os
import ssl
import subprocess
import sys
import threading

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from fake import certs  # noqa: E402
from harness import fake, paths, proc, spantap, tap, wire  # noqa: E402
from harness.steps import CLIENTS, tag_of  # noqa: E402

RUST = os.path.join(paths.BUILD, "rustls", "target", "release", "rustls_clients")
DENO = os.path.join(paths.BUILD, "deno", "node_modules", "@deno", "linux-x64-glibc", "deno")


def setup():
    spantap.need_spantap()


def need(program, part):
    if not os.access(program, os.X_OK):
        raise tap.Skip(f"not set up: run tests/setup/clients.sh {part}")
    return program


def deno(*arguments):
    return [need(DENO, "deno"), "run", "-A", os.path.join(CLIENTS, "deno.mjs"), *arguments]


def rust(*arguments):
    return [need(RUST, "rustls"), *map(str, arguments)]


def text_sha(span):
    return hashlib.sha256("".join(wire.of_parts(span["attributes"]).get("text", [])).encode()).hexdigest()


def expect_common(check, span, port):
    attributes, tag = span["attributes"], tag_of(span)
    check.equal(attributes.get("spantap.capture"), "rustls", f"capture of {tag}")
    check.equal(attributes.get("spantap.dialect"), "openai.chat", f"dialect of {tag}")
    check.equal(attributes.get("spantap.complete"), True, f"spantap.complete of {tag}")
    check.equal(attributes.get("server.port"), port, f"port of {tag}")
    check.equal(attributes.get("spantap.peer_evidence"), "ciphertext", f"how the peer of {tag} is known")


def expect_truth(check, provider, result, spans, port, count):
    """No two answers have the same text, so that one told for another cannot go unseen."""
    check.must(result.status == 0, repr(result))
    truth = {t["tag"]: t for t in provider.truth(count)}
    spans = [s for s in spans if spantap.is_model_call(s)]
    check.equal(len(spans), count, "calls captured")
    check.equal({tag_of(s) for s in spans}, set(truth), "which calls")
    for span in spans:
        told = truth.get(tag_of(span), {})
        expect_common(check, span, port)
        check.equal(text_sha(span), told.get("text_sha"), f"text of {told.get('tag')}")
        check.equal(
            span["attributes"].get("http.request.body.size"), told.get("request_bytes"), f"bytes of {told.get('tag')}"
        )
        asked = json.dumps(span["attributes"].get("gen_ai.input.messages"))
        check.equal(asked.count("abcdefgh") * 8 // 1000, told.get("request_bytes", 0) // 1000, "the whole question")
    check.equal(spantap.balanced(result.summary), 0, "difference of the ledger")
    check.equal(sum(result.summary["bytes"]["missing"].values()), 0, "bytes missing")
    provider.forget()


def test_three_connections_of_deno_at_the_same_time(check):
    provider = fake.Provider(tls2=True)
    for port in (provider.tls_port, provider.tls2_port):
        env = fake.client_env(DENO_CERT=provider.ca, HOME=proc.scratch("deno"), DENO_NO_UPDATE_CHECK="1")
        result, spans = spantap.run(deno(f"https://localhost:{port}"), env=env)
        expect_truth(check, provider, result, spans, port, 9)
    provider.stop()


def test_reqwest_over_both_versions_of_each_protocol(check):
    provider = fake.Provider(tls2=True)
    for protocol, port in (("http1", provider.tls_port), ("http2", provider.tls2_port)):
        for version in ("1.2", "1.3"):
            url = f"https://localhost:{port}/v1/chat/completions"
            result, spans = spantap.run(rust("ask", url, protocol, version, 3, 3, 120000), env=fake.client_env())
            expect_truth(check, provider, result, spans, port, 9)
    provider.stop()


def test_new_keys_go_on_with_their_connection(check):
    provider = fake.Provider()
    cmd = rust("renew", f"localhost:{provider.tls_port}", provider.ca)
    result, spans = spantap.run(cmd, env=fake.client_env())
    check.must(result.status == 0, repr(result))
    spans = sorted(spans, key=lambda s: int(s["startTimeUnixNano"]))
    check.equal([tag_of(s) for s in spans], ["renew-0", "renew-1", "renew-2"], "calls")
    for span in spans:
        expect_common(check, span, provider.tls_port)
    check.equal({text_sha(s) for s in spans}, {t["text_sha"] for t in provider.truth(3)}, "texts")
    provider.stop()


class Keeper:
    """Connections of Python that are kept, to a server under trace."""

    def __init__(self, port, version):
        context = ssl.create_default_context(cafile=certs.make(paths.CERTS)[0])
        context.minimum_version = context.maximum_version = version
        self.all = [http.client.HTTPSConnection("localhost", port, context=context) for _ in range(3)]

    def ask(self, first, count):
        rows = [threading.Thread(target=self.row, args=(c, first + 100 * i, count)) for i, c in enumerate(self.all)]
        for row in rows:
            row.start()
        for row in rows:
            row.join()

    def row(self, connection, first, count):
        for number in range(first, first + count):
            content = f"[serve-{number}] " + "abcdefgh" * 100 * (number % 10 + 1)
            asked = {"model": "gpt-4o", "user": f"serve-{number}", "messages": [{"role": "user", "content": content}]}
            connection.request("POST", "/v1/chat/completions", json.dumps(asked), {"content-type": "application/json"})
            connection.getresponse().read()

    def close(self):
        for connection in self.all:
            connection.close()


def served(check, command, version, before):
    """Calls of three connections to a server; @before the tracer begins, each has made so many."""
    server = proc.Process(command, "server", stdout=subprocess.PIPE, env=fake.client_env(HOME=proc.scratch("home")))
    port = json.loads(proc.read_line(server.popen.stdout.fileno(), 20, "server"))["tls"]
    keeper = Keeper(port, version)
    keeper.ask(1000, before)
    tracer = spantap.Spantap("--pid", str(server.pid))
    keeper.ask(0, 3)
    keeper.close()
    spans = tracer.wait_spans(9, where=spantap.is_model_call)
    result = tracer.stop()
    server.stop()
    return port, result, [s for s in spans if spantap.is_model_call(s)]


def expect_served(check, spans, port, count):
    whole = [s for s in spans if s["attributes"].get("spantap.complete")]
    check.that(len(whole) >= count, f"{len(whole)} whole calls of {count}")
    for span in whole:
        tag = tag_of(span)
        expect_common(check, span, port)
        check.equal(text_sha(span), hashlib.sha256(f"{tag} ".encode() * 3000).hexdigest(), f"text of {tag}")


def test_a_server_answers_on_the_connection_that_asked(check):
    cert, key = certs.make(paths.CERTS)[1:]
    servers = [command for command, program in ((deno, DENO), (rust, RUST)) if os.access(program, os.X_OK)]
    if not servers:
        raise tap.Skip("not set up: run tests/setup/clients.sh deno rustls")
    for command in servers:
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            port, result, spans = served(check, command("serve", cert, key), version, 0)
            check.equal(len(spans), 9, "calls captured")
            expect_served(check, spans, port, 9)
            check.equal(spantap.balanced(result.summary), 0, "difference of the ledger")


def test_connections_that_were_there_before(check):
    """What is opened first was received unseen: one question or answer may be told alone, but never another's for it."""
    cert, key = certs.make(paths.CERTS)[1:]
    port, result, spans = served(check, deno("serve", cert, key), ssl.TLSVersion.TLSv1_3, 2)
    expect_served(check, spans, port, 8)
    check.equal(spantap.balanced(result.summary), 0, "difference of the ledger")


if __name__ == "__main__":
    tap.main(sys.modules[__name__], setup)
