#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Programs whose TLS library has no names: gRPC's (BoringSSL, in a Python package), a Node whose names were blanked (OpenSSL 3,
its inner functions copied into those of the API), and one that OpenSSL was linked into. Every call is told once and whole, also when one connection after the other uses
the same memory."""

import os
import shutil
import struct
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import fake, paths, proc, spantap, tap  # noqa: E402
from harness.steps import CLIENTS, tag_of  # noqa: E402

GRPC_PYTHON = os.path.join(paths.BUILD, "venv-grpc", "bin", "python")
NUMBER = 6


def setup():
    spantap.need_spantap()


def test_every_call_of_grpc_is_whole_on_connections_one_after_another(check):
    if not os.access(GRPC_PYTHON, os.X_OK):
        raise tap.Skip("no grpcio: run tests/setup/clients.sh grpc")
    provider = fake.Side("xai.py", GRPC_PYTHON, tls=True)
    address, ca = f"localhost:{provider.tls_port}", fake.certs.make(paths.CERTS)[0]
    line = [GRPC_PYTHON, os.path.join(CLIENTS, "grpc_again.py"), address, ca, str(NUMBER)]
    result, spans = spantap.run(line, env=fake.client_env())
    check.must(result.status == 0, repr(result))
    truths = {t["model"]: t for t in provider.truth(2 * NUMBER)}
    spans = [s["attributes"] for s in spans if spantap.is_model_call(s)]
    check.equal(sorted(a.get("gen_ai.request.model", "") for a in spans), sorted(truths), "calls, by their models")
    for attributes in spans:
        name = attributes.get("gen_ai.request.model")
        check.equal(attributes.get("spantap.capture"), "boringssl", f"captured by, {name}")
        check.equal(attributes.get("spantap.complete"), True, f"{name} is whole")
        check.equal(attributes.get("gen_ai.usage.input_tokens"), truths[name]["usage"][0], f"tokens of {name}")
        check.that(attributes.get("http.request.body.size", 0) > 30000, f"bytes asked, {name}")
        check.equal(attributes.get("server.port"), provider.tls_port, f"peer of {name}")
        check.equal(attributes.get("spantap.peer_evidence"), "ciphertext", f"how the peer of {name} is known")
    check.equal(spantap.balanced(result.summary), 0, "difference of the ledger")
    check.equal(result.summary["bytes"]["missing"]["undecodable"], 0, "bytes that fit no connection")
    provider.stop()


def sections(data):
    """{name: (offset, size)} of an ELF file."""
    start, size, count, names = struct.unpack_from("<Q10xHHH", data, 0x28)
    found = [struct.unpack_from("<IIQQQQ", data, start + i * size) for i in range(count)]
    text = found[names][4]
    return {data[text + s[0] : data.index(b"\0", text + s[0])].decode(): (s[4], s[5]) for s in found}


def without_names(program, to):
    """The same program, and nobody can tell by names where its TLS is."""
    with open(program, "rb") as f:
        data = bytearray(f.read())
    for name, (offset, size) in sections(data).items():
        if name in (".dynstr", ".strtab"):
            kept = bytes(data[offset : offset + size])
            data[offset : offset + size] = kept.replace(b"SSL_", b"XXL_").replace(b"ssl_", b"xxl_")
    with open(to, "wb") as f:
        f.write(data)
    os.chmod(to, 0o755)


def test_every_call_of_a_node_without_names_is_captured_whole(check):
    node = shutil.which("node")
    if not node or not os.path.isdir(os.path.join(paths.NODE_DIR, "node_modules")):
        raise tap.Skip("no node, or no packages for it: run tests/setup/clients.sh node")
    bare = os.path.join(proc.scratch("bare"), "node")
    without_names(os.path.realpath(node), bare)
    works = subprocess.run([bare, "-e", "process.stdout.write('yes')"], capture_output=True, text=True)
    with open(bare, "rb") as f:
        is_static = b"ssl_write_internal" in f.read()
    if works.stdout != "yes" or not is_static:
        raise tap.Skip("this node has its TLS in a library of the system")
    provider = fake.Provider()
    result, spans = spantap.run(
        [bare, os.path.join(CLIENTS, "sdk.mjs")], env=fake.client_env(provider, NODE_DIR=paths.NODE_DIR)
    )
    check.must(result.status == 0, repr(result))
    spans = [s for s in spans if spantap.is_model_call(s)]
    check.equal(len(spans), len(provider.truth()), "calls captured")
    for span in spans:
        attributes, tag = span["attributes"], tag_of(span)
        check.equal(attributes.get("spantap.capture"), "openssl", f"captured by, {tag}")
        check.equal(attributes.get("spantap.complete"), True, f"{tag} is whole")
        check.equal(attributes.get("server.port"), provider.tls_port, f"peer of {tag}")
    check.equal(spantap.balanced(result.summary), 0, "difference of the ledger")
    provider.stop()


def again_build():
    """Its OpenSSL is in it, and nothing tells where."""
    path = os.path.join(proc.scratch("again"), "again")
    source = os.path.join(CLIENTS, "tls_again.c")
    libraries = ["-Wl,-Bstatic", "-lssl", "-lcrypto", "-Wl,-Bdynamic", "-ldl", "-lpthread"]
    built = subprocess.run(["gcc", "-s", "-o", path, source, *libraries], capture_output=True, text=True)
    if built.returncode:
        raise tap.Skip(f"no OpenSSL to link with: {built.stderr[-200:]}")
    return path


def test_an_object_where_another_was_has_its_own_peer(check):
    one, other = fake.Provider(), fake.Provider()
    line = [again_build(), str(one.tls_port), str(other.tls_port), str(NUMBER)]
    result, spans = spantap.run(line, env=fake.client_env())
    check.must(result.status == 0, repr(result))
    objects = [text.split()[0] for text in result.stdout.splitlines()]
    check.that(len(set(objects)) < len(objects), f"no object was where another had been: {objects}")
    spans = [s["attributes"] for s in spans if spantap.is_model_call(s)]
    check.equal(len(spans), NUMBER, "calls captured")
    for attributes in spans:
        _, port, number = attributes.get("gen_ai.request.model", "--").split("-")
        check.equal(str(attributes.get("network.peer.port")), port, f"peer of {number}")
        check.equal(attributes.get("spantap.complete"), True, f"{number} is whole")
    check.equal(spantap.balanced(result.summary), 0, "difference of the ledger")
    one.stop()
    other.stop()


if __name__ == "__main__":
    tap.main(sys.modules[__name__], setup)
