// SPDX-License-Identifier: Apache-2.0
// A WebSocket on a stream of HTTP/2 (RFC 8441): h2socket.mjs server CERT KEY, whose first line is its port; h2socket.mjs client
// PORT TURNS. Each turn is one of the Responses API's; frames are at most 65535 bytes long.
import { readFileSync } from "node:fs";
import { connect, createSecureServer } from "node:http2";

function frame(text, mask) {
  const body = Buffer.from(text);
  const long = body.length > 125;
  const head = Buffer.alloc(2 + (long ? 2 : 0) + (mask ? 4 : 0));
  head[0] = 0x81;
  head[1] = (long ? 126 : body.length) | (mask ? 0x80 : 0);
  if (long) head.writeUInt16BE(body.length, 2);
  if (mask) {
    mask.copy(head, head.length - 4);
    body.forEach((byte, i) => (body[i] = byte ^ mask[i & 3]));
  }
  return Buffer.concat([head, body]);
}

// Calls told() with the text of each frame.
function listen(stream, told) {
  let have = Buffer.alloc(0);
  stream.on("data", (data) => {
    have = Buffer.concat([have, data]);
    for (;;) {
      if (have.length < 2) return;
      const masked = have[1] & 0x80;
      const long = (have[1] & 0x7f) === 126;
      const at = 2 + (long ? 2 : 0) + (masked ? 4 : 0);
      if (have.length < at) return;
      const length = long ? have.readUInt16BE(2) : have[1] & 0x7f;
      if (have.length < at + length) return;
      const body = Buffer.from(have.subarray(at, at + length));
      if (masked) body.forEach((byte, i) => (body[i] = byte ^ have[at - 4 + (i & 3)]));
      if ((have[0] & 0x0f) === 8) return;
      have = have.subarray(at + length);
      told(JSON.parse(body.toString()));
    }
  });
}

function server(cert, key) {
  const settings = { enableConnectProtocol: true };
  const server = createSecureServer({ cert: readFileSync(cert), key: readFileSync(key), settings });
  let turn = 0;
  server.on("stream", (stream, headers) => {
    stream.on("error", () => {});
    stream.respond({ ":status": headers[":protocol"] === "websocket" ? 200 : 400 });
    listen(stream, (asked) => {
      const response = { id: `resp_${++turn}`, object: "response", model: asked.model, status: "in_progress", output: [] };
      const content = [{ type: "output_text", text: `answer ${turn}`, annotations: [] }];
      const output = [{ type: "message", id: "msg", role: "assistant", status: "completed", content }];
      stream.write(frame(JSON.stringify({ type: "response.created", response })));
      const usage = { input_tokens: 3, output_tokens: 2, total_tokens: 5 };
      const done = { ...response, status: "completed", output, usage };
      stream.write(frame(JSON.stringify({ type: "response.completed", response: done })));
    });
    stream.on("end", () => stream.end());
  });
  server.listen(0, "127.0.0.1", () => console.log(server.address().port));
}

function client(port, turns) {
  const session = connect(`https://localhost:${port}`, { rejectUnauthorized: false });
  session.once("remoteSettings", () => {
    const headers = { ":method": "CONNECT", ":protocol": "websocket", ":path": "/v1/responses" };
    const stream = session.request(headers, { endStream: false });
    const ask = () => {
      const input = [{ role: "user", content: `question ${turns}` }];
      stream.write(frame(JSON.stringify({ type: "response.create", model: "m-h2", input }), Buffer.from("\x37\xfa\x21\x3d", "latin1")));
    };
    stream.on("response", ask);
    listen(stream, (event) => {
      if (event.type !== "response.completed") return;
      if (--turns > 0) return ask();
      stream.write(Buffer.from([0x88, 0x80, 1, 2, 3, 4]));
      stream.end();
    });
    stream.on("close", () => session.close());
  });
}

const [mode, ...args] = process.argv.slice(2);
if (mode === "server") server(...args);
else client(args[0], Number(args[1]));
