// SPDX-License-Identifier: Apache-2.0
// Calls by fetch, in three rows at the same time: deno run -A deno.mjs BASE. And a server: deno run -A deno.mjs serve CERT KEY.
const [base, cert, key] = Deno.args;

async function row(name) {
  for (let call = 0; call < 3; call++) {
    const tag = `deno-${name * 100 + call}`;
    const content = `[${tag}] ` + "abcdefgh".repeat(6000);
    const body = JSON.stringify({ model: "gpt-4o", user: tag, stream: call == 1, messages: [{ role: "user", content }] });
    const headers = { "content-type": "application/json", authorization: "Bearer x" };
    const answer = await fetch(`${base}/v1/chat/completions`, { method: "POST", headers, body });
    console.log(tag, (await answer.text()).length);
  }
}

async function answer(request) {
  const asked = await request.json();
  const message = { role: "assistant", content: `${asked.user} `.repeat(3000) };
  return Response.json({
    id: "chatcmpl-1",
    object: "chat.completion",
    model: "gpt-4o",
    choices: [{ index: 0, finish_reason: "stop", message }],
    usage: { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 },
  });
}

if (base == "serve") {
  const [certText, keyText] = [cert, key].map((path) => Deno.readTextFileSync(path));
  const onListen = ({ port }) => console.log(JSON.stringify({ tls: port }));
  Deno.serve({ port: 0, hostname: "127.0.0.1", cert: certText, key: keyText, onListen }, answer);
} else {
  await Promise.all([0, 1, 2].map(row));
}
