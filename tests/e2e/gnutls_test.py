#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Programs on GnuTLS: wget, a libcurl that is built on it, and its functions called one by one. Every call is told once and whole,
with its text and its peer, and the end of each connection is that of its session; nobody else is read."""

import ctypes
import hashlib
import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import fake, paths, proc, spantap, tap, wire  # noqa: E402
from harness.steps import CLIENTS, tag_of  # noqa: E402

GNUTLS, CURL = "libgnutls.so.30", "libcurl-gnutls.so.4"
CHAT = "/v1/chat/completions"


def need_library(name):
    try:
        ctypes.CDLL(name)
    except OSError:
        raise tap.Skip(f"no {name}") from None


def need_wget():
    try:
        told = subprocess.run(["wget", "--version"], capture_output=True, text=True).stdout
    except FileNotFoundError:
        raise tap.Skip("no wget") from None
    if "+ssl/gnutls" not in told:
        raise tap.Skip("this wget has another TLS library")


def setup():
    spantap.need_spantap()


def question(tag, size=100):
    """Numbered all through, so that a piece in a wrong place shows."""
    text = f"[{tag}] " + " ".join(map(str, range(size // 4)))
    return {"model": "gpt-4o-mini", "stream": True, "messages": [{"role": "user", "content": text[:size]}]}


def question_file(tag, size=100):
    path = os.path.join(proc.scratch("question"), tag)
    with open(path, "w") as f:
        json.dump(question(tag, size), f)
    return path


def asked(attributes):
    messages = json.loads(attributes.get("gen_ai.input.messages", "[]"))
    return "".join(p.get("content", "") for m in messages for p in m.get("parts", []))


def must_run(check, provider, command):
    """The calls' attributes by tag, each told once, all from and to the right ones; and the result."""
    result, spans = spantap.run(command, env=fake.client_env(provider))
    check.must(result.status == 0, repr(result))
    spans = [s for s in spans if spantap.is_model_call(s)]
    found = {tag_of(s): s["attributes"] for s in spans}
    check.equal(len(found), len(spans), "calls that are told once")
    for tag, attributes in found.items():
        check.equal(attributes.get("spantap.capture"), "gnutls", f"captured by, {tag}")
        check.equal(attributes.get("spantap.complete"), True, f"{tag} is whole")
        check.that(attributes.get("server.port") in (provider.tls_port, provider.tls2_port), f"peer of {tag}")
        check.equal(attributes.get("network.peer.address"), "127.0.0.1", f"peer's address of {tag}")
        check.equal(attributes.get("spantap.peer_evidence"), "nested_syscall", f"how the peer of {tag} is known")
    counts = result.summary["bytes"]
    check.equal((spantap.balanced(result.summary), counts["captured"]), (0, counts["seen"]), "the ledger")
    return found, result


def whole(check, tag, attributes, truth, size=100):
    """What the provider had of this call, and what it said."""
    text = "".join(wire.of_parts(attributes).get("text", []))
    wanted = question(tag, size)["messages"][0]["content"]
    check.that(asked(attributes) == wanted, f"the question of {tag}")
    check.equal(attributes.get("http.request.body.size"), truth["request_bytes"], f"bytes asked, {tag}")
    check.equal(attributes.get("http.response.body.size"), truth["response_bytes"], f"bytes answered, {tag}")
    check.equal(hashlib.sha256(text.encode()).hexdigest(), truth["text_sha"], f"text of {tag}")
    check.equal(attributes.get("spantap.end"), "complete", f"end of {tag}")


def test_a_call_of_wget_is_captured_whole(check):
    need_wget()
    provider = fake.Provider()
    header = "--header=content-type: application/json"
    file = question_file("wget-1", 5000)
    command = ["wget", "-qO-", f"--ca-certificate={provider.ca}", header, f"--post-file={file}", provider.url() + CHAT]
    found, result = must_run(check, provider, command)
    truth = provider.truth()
    check.equal((list(found), len(truth)), (["wget-1"], 1), "calls")
    whole(check, "wget-1", found.get("wget-1", {}), truth[0], 5000)
    check.equal(result.summary["bytes"]["seen"], truth[0]["request_stream_bytes"] + truth[0]["response_stream_bytes"], "bytes")
    provider.stop()


def test_connections_of_libcurl_one_after_the_other_are_told_apart(check):
    need_library(CURL)
    provider = fake.Provider(tls2=True)
    sizes = {"one-1": 200, "two-1": 300000, "three-1": 200, "four-1": 300000}
    command = [sys.executable, os.path.join(CLIENTS, "curl_gnutls.py"), CURL, provider.ca]
    for i, (tag, size) in enumerate(sizes.items()):
        # Each protocol twice, where the provider has both.
        port = provider.tls2_port if i >= 2 and provider.tls2_port else provider.tls_port
        command += [f"https://localhost:{port}{CHAT}", question_file(tag, size)]
    found, _ = must_run(check, provider, command)
    truths = dict(zip(sizes, provider.truth()))
    check.equal(sorted(map(str, found)), sorted(sizes), "calls")
    check.equal([t["connection"] for t in truths.values()], sorted({t["connection"] for t in truths.values()}), "connections")
    for tag, truth in truths.items():
        whole(check, tag, found.get(tag, {}), truth, sizes[tag])
        check.equal(found.get(tag, {}).get("network.protocol.version"), truth["http"], f"HTTP version of {tag}")
    if not provider.tls2_port:
        check.note("no package h2: HTTP/1.1 alone")
    provider.stop()


def test_each_function_that_moves_text_is_seen_and_the_end_of_each_session(check):
    need_library(GNUTLS)
    provider = fake.Provider()
    calls = [
        (CHAT, "plain", "plain", 100),
        (CHAT, "kept", "kept", 30000),
        (CHAT, "corked", "corked", 30000),
        (CHAT, "range", "range", 30000),
        (CHAT, "again", "again", 400000),
        (f"/x/close=1{CHAT}", "plain", "close", 100),
        (f"/x/events=20,drop=5{CHAT}", "plain", "drop", 100),
        (f"/x/events=50,delay=0.02{CHAT}", "leave", "leave", 100),
    ]
    words = [str(word) for call in calls for word in call]
    address = f"localhost:{provider.tls_port}"
    found, result = must_run(
        check, provider, [sys.executable, os.path.join(CLIENTS, "gnutls_calls.py"), GNUTLS, address, provider.ca, *words]
    )
    told = {line["tag"]: line for line in map(json.loads, result.stdout.splitlines())}
    wanted = {f"{tag}-0": size for _, _, tag, size in calls} | {"kept-1": 30000}
    tags = [t for _, _, tag, _ in calls for t in ([f"{tag}-0", "kept-1"] if tag == "kept" else [f"{tag}-0"])]
    truths = dict(zip(tags, provider.truth(len(tags))))
    check.equal(sorted(map(str, found)), sorted(wanted), "calls")
    check.that(told["again"]["again"] > 0, "no write had to wait")
    check.that(len({line["object"] for line in told.values()}) < len(told), "no session was at another's address")
    for tag in set(truths) - {"drop-0", "leave-0"}:
        whole(check, tag, found.get(tag, {}), truths[tag], wanted[tag])
    check.equal(found.get("drop-0", {}).get("spantap.end"), "server_cut", "end of an answer that the provider cut")
    check.equal(found.get("leave-0", {}).get("spantap.end"), "client_cancel", "end after gnutls_bye, which the provider answers")
    provider.stop()


def test_the_library_is_a_target_with_its_version(check):
    need_library(GNUTLS)
    script = f"import ctypes, sys; ctypes.CDLL('{GNUTLS}'); print(flush=True); sys.stdin.read()"
    user = proc.Process([sys.executable, "-c", script], "user", stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    proc.read_line(user.popen.stdout.fileno(), 20, "a user of GnuTLS")
    line = [paths.SPANTAP, "targets", "--json"]
    targets = json.loads(subprocess.run(line, capture_output=True, text=True, check=True).stdout)
    user.popen.stdin.close()
    user.popen.stdout.close()
    user.wait(20)
    ours = [t for t in targets if t["family"] == "gnutls"]
    check.must(ours, f"no target of GnuTLS in {[t['path'] for t in targets]}")
    check.that(ours[0]["version"].startswith("GnuTLS 3."), f"version {ours[0]['version']}")
    check.that(ours[0]["attached"] >= 5 and not ours[0].get("why_not"), f"attached: {ours[0]}")


def test_of_a_program_that_is_not_traced_nothing_is_read(check):
    need_wget()
    provider = fake.Provider()
    tracer = spantap.Spantap("--comm", "nobody-has-this-name")
    file = question_file("wget-2")
    header = "--header=content-type: application/json"
    command = ["wget", "-qO-", f"--ca-certificate={provider.ca}", header, f"--post-file={file}", provider.url() + CHAT]
    done = subprocess.run(command, env=fake.client_env(provider), stdout=subprocess.DEVNULL)
    result = tracer.stop()
    check.equal((done.returncode, len(provider.truth())), (0, 1), "the call that was made")
    check.equal((result.status, result.summary["bytes"]["seen"], len(tracer.spans())), (0, 0, 0), "status, bytes and spans")
    provider.stop()


if __name__ == "__main__":
    tap.main(sys.modules[__name__], setup)
