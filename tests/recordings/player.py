#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Puts recorded requests on the wire, one after another, with their own Host: player.py PORT CA JOBS"""

import base64
import http.client
import json
import ssl
import sys

port, ca, path = sys.argv[1:4]
context = ssl.create_default_context(cafile=ca)
connection = None
with open(path) as f:
    jobs = json.load(f)
for number, job in enumerate(jobs):
    if connection is None or number % 25 == 0:
        connection = http.client.HTTPSConnection("localhost", int(port), timeout=30, context=context)
    connection.putrequest("POST", job["path"], skip_host=True, skip_accept_encoding=True)
    body = base64.b64decode(job["body"])
    for name, value in {**job["headers"], "Content-Length": str(len(body))}.items():
        connection.putheader(name, value)
    connection.endheaders(body)
    answer = connection.getresponse()
    answer.read()
    answer.close()
print(len(jobs))
