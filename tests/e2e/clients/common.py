# SPDX-License-Identifier: Apache-2.0
"""What the Python clients share: bodies with a tag in them, and their own count of what went in and out."""

import hashlib
import json
import sys


def arguments():
    """URL of the endpoint, number of calls, characters of the prompt, streamed or not, prefix of the tags."""
    url, count, prompt, stream, prefix = sys.argv[1:6]
    return url, int(count), int(prompt), stream == "1", prefix


def body(tag, prompt, stream):
    text = f"[{tag}] " + "p\u00e9" * (prompt // 2)
    return json.dumps(
        {"model": "gpt-4o-mini", "stream": stream, "messages": [{"role": "user", "content": text}]}, ensure_ascii=False
    ).encode()


class Count:
    """One call as its client saw it; the answer's bytes as they travelled."""

    def __init__(self, tag, request):
        self.tag, self.request_bytes, self.response_bytes, self.hash = tag, len(request), 0, hashlib.sha256()

    def take(self, data):
        self.response_bytes += len(data)
        self.hash.update(data)

    def tell(self):
        # One write a line: threads tell at the same time.
        sys.stdout.write(
            json.dumps(
                {
                    "tag": self.tag,
                    "request_bytes": self.request_bytes,
                    "response_bytes": self.response_bytes,
                    "sha": self.hash.hexdigest(),
                }
            )
            + "\n"
        )
        sys.stdout.flush()
