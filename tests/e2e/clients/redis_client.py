# SPDX-License-Identifier: Apache-2.0
"""Searches with redis-py among other commands: redis_client.py PORT PROTOCOL."""

import struct
import sys

import redis

client = redis.Redis(port=int(sys.argv[1]), protocol=int(sys.argv[2]))
client.set("k", "v")
vector = struct.pack("<3f", 1, 2, 4)
for _ in range(3):
    client.get("k")
    client.execute_command("FT.SEARCH", "idx", "*=>[KNN 2 @v $vec]", "PARAMS", "2", "vec", vector, "DIALECT", "2")
pipe = client.pipeline(transaction=False)
pipe.get("k")
pipe.execute_command("FT.SEARCH", "idx", "*=>[KNN 2 @v $vec]", "PARAMS", "2", "vec", vector, "DIALECT", "2")
pipe.execute()
