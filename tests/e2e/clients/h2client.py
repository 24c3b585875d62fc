# SPDX-License-Identifier: Apache-2.0
"""httpx over HTTP/2: h2client.py URL. Three calls on one connection, and a fourth that is given up."""

import sys

import httpx

with httpx.Client(http2=True) as client:
    for number in range(3):
        body = {"model": f"m-{number}", "stream": True, "messages": [{"role": "user", "content": "one two three"}]}
        answer = client.post(sys.argv[1], json=body)
        assert answer.http_version == "HTTP/2" and answer.text.endswith("data: [DONE]\n\n"), answer
    body = {"model": "slow", "stream": True, "messages": [{"role": "user", "content": "go on"}]}
    with client.stream("POST", sys.argv[1], json=body) as answer:
        for count, line in enumerate(answer.iter_lines()):
            if count > 6:
                break
