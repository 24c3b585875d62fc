# SPDX-License-Identifier: Apache-2.0
"""A call of a tool over pipes that gets no answer, because one of the two is gone: mcp_left.py server | client"""

import json
import os
import signal
import subprocess
import sys
import time

SERVER = """
import json, os, sys
for line in sys.stdin:
    asked = json.loads(line)
    if asked["method"] == "tools/call" and sys.argv[1] == "server":
        os._exit(3)
    if asked["method"] != "tools/call":
        print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": {"tools": []}}), flush=True)
"""

leaves = sys.argv[1]
server = subprocess.Popen(
    [sys.executable, "-c", SERVER, leaves], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
)


def ask(number, method, **params):
    print(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}), file=server.stdin, flush=True)


ask(1, "tools/list")
server.stdout.readline()
ask(2, "tools/call", name="add", arguments={"a": 1})
if leaves == "server":
    server.wait()
    time.sleep(6)
else:
    time.sleep(0.5)
    os.kill(os.getpid(), signal.SIGKILL)
