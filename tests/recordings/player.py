#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Puts requests on the wire with their own Host: player.py 1.1|2 PORT CA JOBS

A job is {"method", "path", "headers", "body": base64}. Over HTTP/1.1 they go one after another, over HTTP/2 side by side on
one connection, each stream getting its next frame when the others have had theirs."""

import base64
import http.client
import json
import socket
import ssl
import sys

SIDE_BY_SIDE = 8
PER_CONNECTION = 25


def play_1(port, context, jobs):
    for number, job in enumerate(jobs):
        if number % PER_CONNECTION == 0:
            connection = http.client.HTTPSConnection("localhost", port, timeout=30, context=context)
        connection.putrequest(job["method"], job["path"], skip_host=True, skip_accept_encoding=True)
        body = base64.b64decode(job["body"])
        length = {"Content-Length": str(len(body))} if body else {}
        for name, value in {**job["headers"], **length}.items():
            connection.putheader(name, value)
        connection.endheaders(body or None)
        answer = connection.getresponse()
        answer.read()
        answer.close()


class Player2:
    def __init__(self, port, context, jobs):
        import h2.config
        import h2.connection
        import h2.events

        self.events = h2.events
        context.set_alpn_protocols(["h2"])
        self.sock = context.wrap_socket(socket.create_connection(("localhost", port), 30), server_hostname="localhost")
        self.sock.settimeout(30)
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        self.h2.initiate_connection()
        self.waiting, self.sending, self.open = list(reversed(jobs)), {}, set()

    def begin(self):
        job = self.waiting.pop()
        fields = {name.lower(): value for name, value in job["headers"].items()}
        head = [
            (":method", job["method"]),
            (":scheme", "https"),
            (":authority", fields.pop("host")),
            (":path", job["path"]),
        ]
        body, stream = base64.b64decode(job["body"]), self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream, head + list(fields.items()), end_stream=not body)
        self.open.add(stream)
        if body:
            self.sending[stream] = body

    def send(self):
        """One frame of each body that has room in its window, until none has."""
        sent = True
        while sent:
            sent = False
            for stream, body in list(self.sending.items()):
                room = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size, len(body))
                if room <= 0:
                    continue
                self.h2.send_data(stream, body[:room], end_stream=room == len(body))
                self.sending[stream], sent = body[room:], True
                if not self.sending[stream]:
                    del self.sending[stream]
        self.sock.sendall(self.h2.data_to_send())

    def receive(self):
        data = self.sock.recv(65536)
        if not data:
            raise ConnectionError("the server closed")
        for event in self.h2.receive_data(data):
            if isinstance(event, self.events.DataReceived):
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, self.events.StreamEnded):
                self.open.discard(event.stream_id)
            elif isinstance(event, self.events.StreamReset):
                raise ConnectionError("the server reset a stream")

    def play(self):
        while self.waiting or self.open:
            while self.waiting and len(self.open) < SIDE_BY_SIDE:
                self.begin()
            self.send()
            self.receive()
        self.sock.close()


def main():
    version, port, ca, path = sys.argv[1:5]
    context = ssl.create_default_context(cafile=ca)
    with open(path) as f:
        jobs = json.load(f)
    if version == "2":
        Player2(int(port), context, jobs).play()
    else:
        play_1(int(port), context, jobs)
    print(len(jobs))


if __name__ == "__main__":
    main()
