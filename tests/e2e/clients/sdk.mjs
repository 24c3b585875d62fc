// SPDX-License-Identifier: Apache-2.0
// The JavaScript SDKs: one call of each kind. NODE_DIR holds the packages, OPENAI_BASE_URL and ANTHROPIC_BASE_URL name
// the provider.
import { createRequire } from 'node:module'

const require = createRequire(process.env.NODE_DIR + '/x.js')
const OpenAI = require('openai').default
const Anthropic = require('@anthropic-ai/sdk').default
const openai = new OpenAI({ maxRetries: 0 })
const anthropic = new Anthropic({ maxRetries: 0 })
const messages = (tag) => [{ role: 'user', content: `[${tag}] hello` }]
const parameters = { type: 'object', properties: { city: { type: 'string' } } }
const tools = [{ type: 'function', function: { name: 'get_weather', parameters } }]

async function drain(stream) {
  for await (const _ of stream);
}

await openai.chat.completions.create({ model: 'gpt-4o-mini', messages: messages('node-1') })
await drain(await openai.chat.completions.create({ model: 'gpt-4o-mini', messages: messages('node-2'), stream: true,
  stream_options: { include_usage: true } }))
await openai.chat.completions.create({ model: 'gpt-4o-mini', messages: messages('node-3'), tools })
await drain(await openai.responses.create({ model: 'gpt-4o-mini', input: messages('node-4'), stream: true }))
await openai.embeddings.create({ model: 'text-embedding-3-small', input: '[node-5] hello' })
await anthropic.messages.create({ model: 'claude-sonnet-4-5', max_tokens: 50, messages: messages('node-6') })
await drain(anthropic.messages.stream({ model: 'claude-sonnet-4-5', max_tokens: 50, messages: messages('node-7') }))
await Promise.all(['node-8', 'node-9'].map((tag) =>
  openai.chat.completions.create({ model: 'gpt-4o-mini', messages: messages(tag) })))
console.log('done')
