#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Real stores on this machine, searched by their own clients: each search is one RETRIEVER span, and nothing else is."""

import json
import os
import socket
import subprocess
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import paths, proc, spantap, tap  # noqa: E402
from harness.steps import CLIENTS  # noqa: E402

PYTHON = os.path.join(paths.BUILD, "venv-retrievers", "bin", "python")


def setup():
    spantap.need_spantap()
    if not os.path.exists(PYTHON):
        raise tap.Skip("no build/venv-retrievers: tests/setup/clients.sh retrievers")


def need(*modules):
    for module in modules:
        if subprocess.run([PYTHON, "-c", f"import {module}"], capture_output=True).returncode:
            raise tap.Skip(f"no {module} in build/venv-retrievers")


def retrievals(spans):
    return [s for s in spans if s["attributes"].get("gen_ai.operation.name") == "retrieval"]


def traced(check, *command):
    result, spans = spantap.run([PYTHON, "-W", "ignore", *command])
    check.must(result.status == 0, repr(result))
    check.equal(spantap.balanced(result.summary), 0, "difference of the ledger")
    for span in spans:
        check.equal(span["attributes"].get("spantap.complete"), True, "spantap.complete")
    check.equal(len(retrievals(spans)), len(spans), "spans of anything else")
    return [s["attributes"] for s in spans]


def documents(attributes):
    return json.loads(attributes.get("gen_ai.retrieval.documents", "[]"))


class Served:
    """A server that prints what its clients need, and ends with its input."""

    def __init__(self, *command):
        self.command = command

    def __enter__(self):
        self.process = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        return self.process.stdout.readline().strip()

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(30)


def test_pgvector(check):
    need("pgserver", "psycopg", "asyncpg")
    client = os.path.join(CLIENTS, "postgres_client.py")
    server = os.path.join(CLIENTS, "postgres_server.py")
    with Served(PYTHON, "-W", "ignore", server, proc.scratch("postgres")) as uri:
        if not uri:
            raise tap.Skip("PostgreSQL does not start here")
        got = traced(check, client, uri, "psycopg")
        check.equal(len(got), 11, "searches by psycopg")
        for attributes in got[:7]:
            check.equal([d["id"] for d in documents(attributes)], ["1", "2"], "documents")
            check.equal(attributes.get("gen_ai.data_source.id"), "docs", "table")
            check.equal(attributes.get("gen_ai.retrieval.top_k"), 2, "top k")
            check.equal(attributes.get("spantap.retrieval.vector_dimensions"), 3, "dimensions")
        failed = [a for a in got if a.get("error.type")]
        check.equal([a["error.type"] for a in failed], ["42P01"], "failures")
        got = traced(check, client, uri, "asyncpg")
        check.equal([[d["id"] for d in documents(a)] for a in got], [["1", "2"]] * 3, "searches by asyncpg")


def test_redis(check):
    need("redis")
    with Served(sys.executable, os.path.join(paths.TOP, "tests", "fake", "redis.py")) as port:
        for protocol in ("2", "3"):
            got = traced(check, os.path.join(CLIENTS, "redis_client.py"), port, protocol)
            check.equal(len(got), 4, f"searches by protocol {protocol}")
            for attributes in got:
                check.equal(documents(attributes), [{"id": "d:1", "score": 0.25}, {"id": "d:2", "score": 0.5}], "documents")
                check.equal(attributes.get("gen_ai.data_source.id"), "idx", "index")
                check.equal(attributes.get("spantap.retrieval.vector_dimensions"), 3, "dimensions")


def test_chroma(check):
    need("chromadb")
    port = proc.free_port()
    chroma = [os.path.join(os.path.dirname(PYTHON), "chroma"), "run", "--path", proc.scratch("chroma")]
    server = proc.Process([*chroma, "--host", "127.0.0.1", "--port", str(port)], "chroma")
    try:
        proc.wait_for("chroma", lambda: is_listening(port), 60.0)
        got = traced(check, os.path.join(CLIENTS, "chroma_client.py"), str(port))
    finally:
        server.stop()
    check.equal([a.get("spantap.dialect") for a in got], ["chroma.query"] * 4, "searches")
    for attributes in got[:3]:
        check.equal([d["id"] for d in documents(attributes)], ["a", "b"], "documents")
        check.equal(attributes.get("gen_ai.retrieval.top_k"), 2, "top k")
        check.equal(attributes.get("spantap.retrieval.vector_dimensions"), 3, "dimensions")


def test_milvus(check):
    need("pymilvus", "milvus_lite")
    port = proc.free_port()
    milvus = [os.path.join(os.path.dirname(PYTHON), "milvus-lite"), "server", "--data-dir", proc.scratch("milvus")]
    server = proc.Process([*milvus, "--host", "127.0.0.1", "--port", str(port)], "milvus")
    try:
        proc.wait_for("milvus", lambda: is_listening(port), 60.0)
        got = traced(check, os.path.join(CLIENTS, "milvus_client.py"), f"http://127.0.0.1:{port}")
    finally:
        server.stop()
    check.equal([a.get("spantap.dialect") for a in got], ["milvus.grpc"] * 4, "searches")
    found = [[d["id"] for d in documents(attributes)] for attributes in got]
    check.equal(found, [["1", "2"], ["1", "2", "3", "2"], ["1", "3"], []], "documents")
    for attributes in got[:3]:
        check.equal(attributes.get("gen_ai.data_source.id"), "docs", "collection")
        check.equal(attributes.get("gen_ai.retrieval.top_k"), 2, "top k")
    check.that(got[-1].get("error.type"), "the search of what is not there has no error")


def is_listening(port):
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


if __name__ == "__main__":
    tap.main(sys.modules[__name__], setup)
