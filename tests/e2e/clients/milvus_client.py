# SPDX-License-Identifier: Apache-2.0
"""Searches of a Milvus server: one vector, two at once, with a filter, and one of a collection that is not there.

  milvus_client.py URI
"""

import sys

from pymilvus import MilvusClient, MilvusException

client = MilvusClient(sys.argv[1])
client.create_collection("docs", dimension=3)
rows = [("one", [1, 0, 0]), ("two", [0.9, 0, 0.1]), ("three", [0, 0, 1])]
client.insert("docs", [{"id": i, "vector": vector, "text": text} for i, (text, vector) in enumerate(rows, 1)])
client.search("docs", data=[[1, 0, 0]], limit=2, output_fields=["text"])
client.search("docs", data=[[1, 0, 0], [0, 0, 1]], limit=2)
client.search("docs", data=[[1, 0, 0]], limit=2, filter='text != "two"', output_fields=["text"])
try:
    client.search("nowhere", data=[[1, 0, 0]], limit=2)
    sys.exit("a collection that is not there was searched")
except MilvusException:
    pass
client.close()
