#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Concurrent calls by one curl process. This program only writes curl's configuration and becomes curl."""

import os
import tempfile

from common import arguments, body

url, number, prompt, stream, prefix = arguments()
directory = tempfile.mkdtemp(dir=os.environ["SCRATCH"])
lines = []
for i in range(number):
    path = os.path.join(directory, str(i))
    with open(path, "wb") as f:
        f.write(body(f"{prefix}-{i}", prompt, stream))
    told = f'{{"tag":"{prefix}-{i}","request_bytes":%{{size_upload}},"response_bytes":%{{size_download}}}}\\n'
    lines += [
        f'url = "{url}"',
        f'data-binary = "@{path}"',
        'header = "Content-Type: application/json"',
        "http1.1",
        "no-buffer",
        "silent",
        f'output = "{path}.out"',
        'write-out = "%s"' % told.replace('"', '\\"'),
        "max-time = 120",
        "next",
    ]
config = os.path.join(directory, "config")
with open(config, "w") as f:
    f.write("\n".join(lines[:-1]) + "\n")
os.execvp("curl", ["curl", "--parallel", "--parallel-immediate", "--parallel-max", str(number), "--config", config])
