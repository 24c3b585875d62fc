# SPDX-License-Identifier: Apache-2.0
"""A PostgreSQL with pgvector and a small table, below the directory given; prints its URI and serves until stdin ends."""

import sys

import pgserver
import psycopg

server = pgserver.get_server(sys.argv[1], cleanup_mode="stop")
with psycopg.connect(server.get_uri(), autocommit=True) as conn:
    conn.execute("CREATE EXTENSION vector")
    conn.execute("CREATE TABLE docs (id serial PRIMARY KEY, content text, metadata jsonb, embedding vector(3))")
    conn.execute(
        "INSERT INTO docs (content, metadata, embedding) VALUES "
        "('alpha', '{\"source\": \"a.md\"}', '[1,2,3]'), ('beta', NULL, '[4,5,6]'), ('gamma', NULL, '[9,9,9]')"
    )
print(server.get_uri(), flush=True)
sys.stdin.read()
server.cleanup()
