# SPDX-License-Identifier: Apache-2.0
"""One pass: many recorded exchanges over one wire under one tracer, and the spans told of each."""

import base64
import json
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from harness import fake, paths, proc, spantap, tap  # noqa: E402

import forms  # noqa: E402

PLAYER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "player.py")
ID = "recorded-"


class Exchange:
    """What goes over the wire: a request as it was recorded, and its answer in one form."""

    def __init__(self, form, method, host, path, request, answer, streamed=False, status=200, more=()):
        self.form, self.method, self.host, self.path, self.request = form, method, host, path, request
        self.answer, self.streamed, self.status = answer, streamed, status
        self.content_type, self.request_type, self.user_agent = "application/json", "application/json", "python"
        self.__dict__.update(more)

    def job(self, number):
        headers = {
            "Host": self.host,
            "User-Agent": self.user_agent,
            "Accept-Encoding": "gzip, br, zstd",
            "Authorization": "Bearer sk-recorded",
            "x-steer": f"case={ID}{number}",
        }
        if self.request:
            headers["Content-Type"] = self.request_type
        body = base64.b64encode(self.request).decode()
        return {"method": self.method, "path": self.path, "headers": headers, "body": body}

    def entry(self, number):
        entry = forms.answer_of(
            self.form, self.status, self.content_type, self.answer, self.streamed, f"{ID}{number}"
        )
        self.size = sum(len(base64.b64decode(c["base64"])) for c in entry.get("chunks") or [entry.get("body")])
        return entry


def can(http):
    """HTTP/2 needs a package that comes with the SDKs."""
    return http != "2" or os.access(paths.SDK_PYTHON, os.X_OK)


def play(check, exchanges, timeout=200):
    """Returns the spans by the number of their exchange, those of no exchange under None. All are of one HTTP."""
    http = exchanges[0].form.http
    if not can(http):
        raise tap.Skip("no HTTP/2 client: tests/setup/clients.sh sdks-python")
    provider = fake.Provider({f"{ID}{n}": [e.entry(n)] for n, e in enumerate(exchanges)}, tls=http != "2", tls2=http == "2")
    path = os.path.join(proc.scratch("jobs"), "jobs.json")
    with open(path, "w") as f:
        json.dump([e.job(n) for n, e in enumerate(exchanges)], f)
    port = provider.tls2_port if http == "2" else provider.tls_port
    line = [fake.python(), PLAYER, http, str(port), provider.ca, path]
    result, spans = spantap.run(line, env=fake.client_env(), timeout=timeout)
    provider.stop()
    check.must(result.status == 0, repr(result))
    check.equal(spantap.balanced(result.summary), 0, "difference of the ledger")
    found = {}
    for span in spans:
        name = str(span["attributes"].get("spantap.request_id") or "")
        if spantap.is_model_call(span):
            found.setdefault(int(name[len(ID) :]) if name.startswith(ID) else None, []).append(span)
    return found


def travelled(check, exchanges, spans):
    """That the pass was what its name says: the version and the coded bytes that the spans tell are those sent."""
    for number, exchange in enumerate(exchanges):
        for span in spans.get(number, []):
            attributes = span["attributes"]
            told = attributes.get("network.protocol.version"), attributes["http.response.body.size"]
            check.equal(told, (exchange.form.http, exchange.size), f"version and bytes of {exchange.path}")
    check.equal(len(spans.get(None, [])), 0, "spans of no exchange")
