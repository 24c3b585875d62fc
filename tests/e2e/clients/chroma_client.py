# SPDX-License-Identifier: Apache-2.0
"""A Chroma collection filled and searched over HTTP: chroma_client.py PORT."""

import sys

import chromadb

client = chromadb.HttpClient(host="127.0.0.1", port=int(sys.argv[1]))
docs = client.create_collection("docs")
docs.add(
    ids=["a", "b", "c"],
    documents=["alpha", "beta", "gamma"],
    metadatas=[{"source": "a.md"}, {"source": "b.md"}, {"source": "c.md"}],
    embeddings=[[1, 2, 3], [4, 5, 6], [9, 9, 9]],
)
for _ in range(3):
    docs.query(query_embeddings=[[1, 2, 4]], n_results=2)
docs.get(ids=["a"])
docs.update(ids=["a"], metadatas=[{"source": "d.md"}])
docs.count()
