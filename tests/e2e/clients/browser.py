#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A page in a real headless Chromium, by its DevTools protocol.

browser.py SHOT URL WORD…      waits until the page shows every WORD, writes SHOT (PNG), prints the page's text
"""

import base64
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

from websockets.sync.client import connect

# Without these a fresh profile opens panels and pop-ups over the page.
QUIET = """for (const [k, v] of [['mlflow.assistant.fab.autoOpenedOnFirstLoad_v1', 'true'], 
  ['mlflow.assistant.panelOpen_v1', 'false'],
  ['mlflow.detectIssues.guidanceShown_v1', 'true']]) localStorage.setItem(k, v)"""


class Page:
    def __init__(self, address):
        self.socket, self.number = connect(address, max_size=1 << 28), 0

    def call(self, method, **params):
        self.number += 1
        self.socket.send(json.dumps({"id": self.number, "method": method, "params": params}))
        while True:
            message = json.loads(self.socket.recv(timeout=30))
            if message.get("id") == self.number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]

    def text(self):
        return self.call("Runtime.evaluate", expression="document.body ? document.body.innerText : ''")["result"].get(
            "value", ""
        )


def start(profile):
    binary = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")
    browser = subprocess.Popen(
        [
            binary,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--hide-scrollbars",
            "--no-first-run",
            "--disable-background-networking",
            "--window-size=1600,1400",
            "--remote-debugging-port=0",
            f"--user-data-dir={profile}",
            "about:blank",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    path, until = os.path.join(profile, "DevToolsActivePort"), time.monotonic() + 30
    while not (os.path.exists(path) and len(open(path).read().splitlines()) == 2):
        if time.monotonic() > until:
            raise TimeoutError("Chromium did not start")
        time.sleep(0.05)
    return browser, open(path).read().splitlines()[0]


def show(port, shot, url, words):
    import urllib.request

    with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list") as answer:
        target = next(t for t in json.load(answer) if t["type"] == "page")
    page = Page(target["webSocketDebuggerUrl"])
    page.call("Page.enable")
    page.call("Page.addScriptToEvaluateOnNewDocument", source=QUIET)
    page.call("Page.navigate", url=url)
    until, text = time.monotonic() + 45, ""
    while time.monotonic() < until:
        text = page.text()
        if all(word in text for word in words):
            break
        time.sleep(0.2)
    time.sleep(0.5)  # the last paint; nothing announces it
    with open(shot, "wb") as f:
        f.write(base64.b64decode(page.call("Page.captureScreenshot", format="png")["data"]))
    print(page.text())


def main(shot, url, *words):
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser, port = start(profile)
        try:
            show(port, shot, url, words)
        finally:
            browser.terminate()
            browser.wait(10)


if __name__ == "__main__":
    main(*sys.argv[1:])
