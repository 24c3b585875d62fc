# SPDX-License-Identifier: Apache-2.0
"""The provider's HTTP/2 side: one connection, its streams side by side, the same answers as over HTTP/1.1.

The package h2 keeps the protocol's state; here are only its ends: a finished request becomes a Request, an Exchange's
pieces become DATA frames within the windows that the client opens. A piece is one write to the socket, as in HTTP/1.1.
"""

import asyncio

import h2.config
import h2.connection
import h2.events
import h2.exceptions
import hyperframe.frame
import sonic

PREFACE_HEAD = b"PRI * HTTP/2.0\r\n\r\n"
WINDOW = 1 << 24
HOP = ("transfer-encoding", "connection")


class Stream:
    def __init__(self, headers):
        self.headers, self.body, self.reset = headers, bytearray(), False
        self.talk = None  # a queue of what came, where both sides talk at the same time


class Connection:
    def __init__(self, provider, reader, writer, number):
        self.provider, self.reader, self.writer, self.number = provider, reader, writer, number
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        # A client may say that it will ask no more and still talk; the package would take that for the end.
        self.h2._frame_dispatch_table[hyperframe.frame.GoAwayFrame] = lambda frame: ([], [])
        self.streams, self.tasks = {}, set()
        self.changed = asyncio.Event()

    async def flush(self):
        self.writer.write(self.h2.data_to_send())
        await self.writer.drain()

    async def serve(self, first):
        self.h2.initiate_connection()
        self.h2.increment_flow_control_window(WINDOW)
        await self.flush()
        data = first
        try:
            while data:
                for event in self.h2.receive_data(data):
                    self.take(event)
                await self.flush()
                data = await self.reader.read(65536)
        except h2.exceptions.ProtocolError:
            await self.flush()
        finally:
            for stream in self.streams.values():
                stream.reset = True
            self.changed.set()
            await asyncio.gather(*self.tasks, return_exceptions=True)

    def take(self, event):
        stream = self.streams.get(getattr(event, "stream_id", None))
        if isinstance(event, h2.events.RequestReceived):
            stream = self.streams[event.stream_id] = Stream(event.headers)
            if dict(event.headers)[":path"].endswith(sonic.PATH):
                stream.talk = asyncio.Queue()
                self.start(self.converse(event.stream_id, stream))
        elif isinstance(event, h2.events.DataReceived):
            self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            if stream.talk:
                stream.talk.put_nowait(event.data)
            else:
                stream.body += event.data
        elif isinstance(event, h2.events.StreamEnded):
            if stream.talk:
                stream.talk.put_nowait(None)
            else:
                self.start(self.answer(event.stream_id, stream))
        elif isinstance(event, h2.events.StreamReset) and stream:
            stream.reset = True
        self.changed.set()

    def start(self, coroutine):
        task = asyncio.ensure_future(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    async def converse(self, stream_id, stream):
        carried = Carried(self, stream_id, stream)
        talk = self.provider.conversation(dict(stream.headers)[":path"])
        await carried.head(200, sonic.HEADERS)
        while (data := await stream.talk.get()) is not None:
            for piece in talk.feed(data):
                await carried.piece(piece)
            if talk.is_over:
                break
        await carried.end()
        self.streams.pop(stream_id, None)

    async def answer(self, stream_id, stream):
        fields = dict(stream.headers)
        headers = {name: value for name, value in stream.headers if not name.startswith(":")}
        headers.setdefault("host", fields.get(":authority", ""))
        carried = Carried(self, stream_id, stream)
        keep = await self.provider.exchange_over(
            carried, fields[":method"], fields[":path"], headers, bytes(stream.body), self.number
        )
        self.streams.pop(stream_id, None)
        if not keep:
            self.writer.close()


class Carried:
    """What an Exchange needs of its carrier, for one stream."""

    http = "2"

    def __init__(self, connection, stream_id, stream):
        self.connection, self.stream_id, self.stream = connection, stream_id, stream

    def left(self):
        return self.stream.reset or self.connection.writer.is_closing()

    def must_be_there(self):
        if self.left():
            raise ConnectionResetError("the client left")

    async def head(self, status, headers):
        self.must_be_there()
        fields = [(name.lower(), str(value)) for name, value in headers if name.lower() not in HOP]
        self.connection.h2.send_headers(self.stream_id, [(":status", str(status))] + fields)
        await self.connection.flush()

    async def piece(self, data):
        conn = self.connection
        while data:
            self.must_be_there()
            conn.changed.clear()
            room = min(conn.h2.local_flow_control_window(self.stream_id), conn.h2.max_outbound_frame_size, len(data))
            if room <= 0:
                await conn.changed.wait()
                continue
            conn.h2.send_data(self.stream_id, data[:room])
            data = data[room:]
            await conn.flush()

    async def end(self):
        self.must_be_there()
        self.connection.h2.end_stream(self.stream_id)
        await self.connection.flush()

    async def abort(self):
        if not self.left():
            self.connection.h2.reset_stream(self.stream_id, 2)
            await self.connection.flush()
