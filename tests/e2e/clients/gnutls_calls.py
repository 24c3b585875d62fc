#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A client that calls the functions of GnuTLS itself, each of them that moves text, and says on stdout what came of it.

gnutls_calls.py LIBRARY ADDRESS CA [PATH SHAPE TAG SIZE]…    one connection for each, of these shapes:
  plain     gnutls_record_send and _recv                corked    held back until gnutls_record_uncork; _recv_seq
  range     gnutls_record_send_range, _recv_packet      again     a socket that takes little: asked again without a buffer
  leave     as plain, and leaves in the middle          kept      as plain, twice on one connection

SIZE: characters of the question.
"""

import ctypes
import json
import select
import socket
import sys

AGAIN, INTERRUPTED = -28, -52


class Datum(ctypes.Structure):
    _fields_ = [("data", ctypes.c_void_p), ("size", ctypes.c_uint)]


class Range(ctypes.Structure):
    _fields_ = [("low", ctypes.c_size_t), ("high", ctypes.c_size_t)]


lib = ctypes.CDLL(sys.argv[1])
for name in ("send", "recv", "recv_seq", "recv_packet", "send_range"):
    getattr(lib, f"gnutls_record_{name}").restype = ctypes.c_ssize_t


def question(tag, size):
    """Numbered all through, so that a piece in a wrong place shows."""
    text = f"[{tag}] " + " ".join(map(str, range(size // 4)))
    messages = [{"role": "user", "content": text[:size]}]
    return json.dumps({"model": "gpt-4o-mini", "stream": True, "messages": messages}).encode()


class Session:
    def __init__(self, address, ca):
        host, port = address.split(":")
        self.again = 0
        self.socket = socket.create_connection((host, int(port)))
        self.credentials, self.session = ctypes.c_void_p(), ctypes.c_void_p()
        self.must(lib.gnutls_certificate_allocate_credentials(ctypes.byref(self.credentials)))
        self.must(lib.gnutls_certificate_set_x509_trust_file(self.credentials, ca.encode(), 1))
        self.must(lib.gnutls_init(ctypes.byref(self.session), 2))
        self.must(lib.gnutls_set_default_priority(self.session))
        self.must(lib.gnutls_credentials_set(self.session, 1, self.credentials))
        self.must(lib.gnutls_server_name_set(self.session, 1, host.encode(), ctypes.c_size_t(len(host))))
        lib.gnutls_transport_set_int2(self.session, self.socket.fileno(), self.socket.fileno())
        self.must(lib.gnutls_handshake(self.session))

    def must(self, result):
        if result < 0:
            lib.gnutls_strerror.restype = ctypes.c_char_p
            raise OSError(lib.gnutls_strerror(int(result)).decode())
        return result

    def send_plain(self, data):
        while data:
            data = data[self.must(lib.gnutls_record_send(self.session, data, ctypes.c_size_t(len(data)))) :]

    def send_corked(self, data):
        lib.gnutls_record_cork(self.session)
        for i in range(0, len(data), 5000):
            piece = data[i : i + 5000]
            taken = self.must(lib.gnutls_record_send(self.session, piece, ctypes.c_size_t(len(piece))))
            assert taken == len(piece)
        assert self.must(lib.gnutls_record_uncork(self.session, 1)) == len(data)

    def send_range(self, data):
        size = ctypes.c_size_t(len(data))
        limits = Range(len(data), len(data) + 100)
        assert self.must(lib.gnutls_record_send_range(self.session, data, size, ctypes.byref(limits))) == len(data)

    def send_again(self, data):
        """The second time without a buffer, which may be no more where it was; here it is."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
        self.socket.setblocking(False)
        whole = ctypes.create_string_buffer(data, len(data))
        done = 0
        while done < len(data):
            at, size = ctypes.c_void_p(ctypes.addressof(whole) + done), ctypes.c_size_t(len(data) - done)
            taken = lib.gnutls_record_send(self.session, at, size)
            while taken in (AGAIN, INTERRUPTED):
                self.again += 1
                select.select([], [self.socket], [], 10)
                taken = lib.gnutls_record_send(self.session, None, ctypes.c_size_t(0))
            done += self.must(taken)
        self.socket.setblocking(True)

    def received(self, function, *arguments):
        """What is no text (a ticket) is told as if there were nothing yet."""
        result = AGAIN
        while result in (AGAIN, INTERRUPTED):
            result = function(self.session, *arguments)
        return self.must(result)

    def recv_plain(self):
        buffer = ctypes.create_string_buffer(3000)
        size = self.received(lib.gnutls_record_recv, buffer, ctypes.c_size_t(3000))
        return buffer.raw[:size]

    def recv_seq(self):
        buffer, number = ctypes.create_string_buffer(3000), ctypes.create_string_buffer(8)
        size = self.received(lib.gnutls_record_recv_seq, buffer, ctypes.c_size_t(3000), number)
        return buffer.raw[:size]

    def recv_packet(self):
        packet, datum = ctypes.c_void_p(), Datum()
        self.received(lib.gnutls_record_recv_packet, ctypes.byref(packet))
        lib.gnutls_packet_get(packet, ctypes.byref(datum), None)
        data = ctypes.string_at(datum.data, datum.size) if datum.size else b""
        lib.gnutls_packet_deinit(packet)
        return data

    def close(self):
        lib.gnutls_bye(self.session, 1)
        self.socket.close()
        lib.gnutls_deinit(self.session)
        lib.gnutls_certificate_free_credentials(self.credentials)


SHAPES = {
    "plain": (Session.send_plain, Session.recv_plain),
    "kept": (Session.send_plain, Session.recv_plain),
    "leave": (Session.send_plain, Session.recv_plain),
    "corked": (Session.send_corked, Session.recv_seq),
    "range": (Session.send_range, Session.recv_packet),
    "again": (Session.send_again, Session.recv_plain),
}


def call(session, address, path, shape, tag, size):
    send, recv = SHAPES[shape]
    body = question(tag, size)
    head = f"POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    answer = b""
    send(session, head.encode() + body)
    while not answer.endswith(b"\r\n0\r\n\r\n"):
        piece = recv(session)
        answer += piece
        if not piece or (shape == "leave" and answer.count(b"data: ") > 2):
            break
    return len(answer)


def main():
    address, ca, words = sys.argv[2], sys.argv[3], sys.argv[4:]
    for path, shape, tag, size in zip(*[iter(words)] * 4):
        session = Session(address, ca)
        received = call(session, address, path, shape, f"{tag}-0", int(size))
        if shape == "kept":
            received += call(session, address, path, shape, f"{tag}-1", int(size))
        session.close()
        print(json.dumps({"tag": tag, "object": session.session.value, "received": received, "again": session.again}))


main()
