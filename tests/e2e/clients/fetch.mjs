// SPDX-License-Identifier: Apache-2.0
// Concurrent calls by Node's own fetch. The answer is asked for without coding, so that its length is what travelled.
import { createHash } from 'node:crypto'

const [url, number, prompt, stream, prefix] = process.argv.slice(2)

async function one(tag) {
  const text = `[${tag}] ` + 'p\u00e9'.repeat(Math.floor(Number(prompt) / 2))
  const messages = [{ role: 'user', content: text }]
  const body = JSON.stringify({ model: 'gpt-4o-mini', stream: stream === '1', messages })
  const answer = await fetch(url, { method: 'POST', body,
    headers: { 'Content-Type': 'application/json', 'Accept-Encoding': 'identity' } })
  const hash = createHash('sha256')
  let length = 0
  for await (const piece of answer.body) {
    length += piece.length
    hash.update(piece)
  }
  const request_bytes = Buffer.byteLength(body)
  console.log(JSON.stringify({ tag, request_bytes, response_bytes: length, sha: hash.digest('hex') }))
}

await Promise.all(Array.from({ length: Number(number) }, (_, i) => one(`${prefix}-${i}`)))
