# SPDX-License-Identifier: Apache-2.0
"""Searches of a table with pgvector, each in another way of the protocol: postgres_client.py URI [psycopg|asyncpg]."""

import asyncio
import sys

VECTOR = "[1,2,4]"


def with_psycopg(uri):
    import psycopg

    with psycopg.connect(uri, autocommit=True) as conn:
        conn.execute("SELECT 1")
        conn.execute("SELECT id, content FROM docs WHERE id < 3")
        search = "SELECT id, content, metadata, embedding <-> %s::vector AS distance FROM docs ORDER BY distance LIMIT 2"
        for _ in range(7):  # the sixth time it is prepared
            conn.execute(search, (VECTOR,)).fetchall()
        conn.execute(f"SELECT content FROM docs ORDER BY embedding <=> '{VECTOR}' LIMIT 1").fetchall()
        with conn.pipeline():
            conn.execute("SELECT 2")
            cursor = conn.execute("SELECT id FROM docs ORDER BY embedding <#> %s::vector LIMIT %s", (VECTOR, 1))
        cursor.fetchall()
        try:
            conn.execute("SELECT id FROM missing ORDER BY embedding <=> '[1]' LIMIT 1")
        except psycopg.Error:
            pass
        cursor = psycopg.ClientCursor(conn)
        cursor.execute("SELECT content FROM docs ORDER BY embedding <=> %s LIMIT 1", (VECTOR,))
        conn.execute("SELECT 'the end'")


async def with_asyncpg(uri, host):
    import asyncpg

    conn = await asyncpg.connect(host=host, user="postgres", database="postgres")
    rows = "SELECT id, content, embedding <=> $1::text::vector AS distance, embedding FROM docs ORDER BY 3 LIMIT $2"
    for _ in range(3):
        await conn.fetch(rows, VECTOR, 2)
    await conn.close()


if sys.argv[2] == "psycopg":
    with_psycopg(sys.argv[1])
else:
    asyncio.run(with_asyncpg(sys.argv[1], sys.argv[1].split("host=")[1]))
