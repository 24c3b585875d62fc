// SPDX-License-Identifier: Apache-2.0
// A chat provider that speaks HTTP/2 over TLS: h2server.mjs CERT KEY. Its first line is its port. A request of the model
// "slow" is answered for as long as the client listens.
import { readFileSync } from "node:fs";
import { createSecureServer } from "node:http2";

const server = createSecureServer({ cert: readFileSync(process.argv[2]), key: readFileSync(process.argv[3]) });

function chunk(request, delta, finish_reason = null) {
  const choices = [{ index: 0, delta, finish_reason }];
  const body = { id: "chatcmpl-h2", object: "chat.completion.chunk", created: 1, model: request.model, choices };
  return `data: ${JSON.stringify(body)}\n\n`;
}

server.on("stream", (stream) => {
  let text = "";
  stream.on("error", () => {});
  stream.on("data", (data) => (text += data));
  stream.on("end", () => {
    const request = JSON.parse(text);
    stream.respond({ ":status": 200, "content-type": "text/event-stream", "x-request-id": "req-h2" });
    stream.write(chunk(request, { role: "assistant", content: "" }));
    if (request.model === "slow") {
      const timer = setInterval(() => stream.write(chunk(request, { content: "and " })), 20);
      stream.on("close", () => clearInterval(timer));
      return;
    }
    for (const word of request.messages[0].content.split(" ")) stream.write(chunk(request, { content: `${word} ` }));
    stream.end(`${chunk(request, {}, "stop")}data: [DONE]\n\n`);
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
