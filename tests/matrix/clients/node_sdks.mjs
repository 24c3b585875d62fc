// SPDX-License-Identifier: Apache-2.0
// The JavaScript SDKs, each with what it can do: node_sdks.mjs NAME. NODE_DIR holds the packages; the protocol with the
// test is that of python_sdks.py.
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const require = createRequire(process.env.NODE_DIR + '/x.js')
const prompt = 'hello from the matrix'
const messages = [{ role: 'user', content: prompt }]
const city = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
const declared = { name: 'get_weather', description: 'the weather of a city', parameters: city }
const tools = [{ type: 'function', function: declared }]
const parsed = (value) => (typeof value === 'string' ? JSON.parse(value) : value)
const toolsOf = (calls) => ({ tools: (calls ?? []).map((c) => [c.function.name, parsed(c.function.arguments)]) })

async function load(name) {
  try {
    return require(name)
  } catch (error) {
    if (error.code !== 'ERR_REQUIRE_ESM' && error.code !== 'ERR_PACKAGE_PATH_NOT_EXPORTED') throw error
    const at = `${process.env.NODE_DIR}/node_modules/${name}`
    const { exports: named, module, main } = require(`${at}/package.json`)
    const entry = named?.['.']?.import?.default ?? named?.['.']?.import ?? named?.['.']?.default ?? module ?? main
    return import(pathToFileURL(`${at}/${entry}`).href)
  }
}

async function join(stream, pick) {
  let text = ''
  for await (const part of stream) text += pick(part) ?? ''
  return { text }
}

function completions(create, model) {
  const asked = { model, messages }
  return {
    chat: async () => ({ text: (await create(asked)).choices[0].message.content }),
    stream: async () => join(await create({ ...asked, stream: true }), (c) => c.choices[0]?.delta.content),
    tools: async () => toolsOf((await create({ ...asked, tools })).choices[0].message.tool_calls),
  }
}

const sdks = {
  async openai(base) {
    const { default: OpenAI } = await load('openai')
    const client = new OpenAI({ baseURL: base + '/v1', apiKey: 'x', maxRetries: 0 })
    const model = 'gpt-matrix'
    return {
      ...completions((asked) => client.chat.completions.create(asked), model),
      embed: async () => ({ vectors: (await client.embeddings.create({ model: 'embed-matrix', input: [prompt, 'two'] })).data.length }),
      responses: async () => ({ text: (await client.responses.create({ model, input: messages })).output_text }),
      responses_stream: async () =>
        join(await client.responses.create({ model, input: messages, stream: true }), (e) =>
          e.type === 'response.output_text.delta' ? e.delta : ''),
    }
  },
  async anthropic(base) {
    const { default: Anthropic } = await load('@anthropic-ai/sdk')
    const client = new Anthropic({ baseURL: base, apiKey: 'x', maxRetries: 0 })
    const asked = { model: 'claude-matrix', max_tokens: 100, messages }
    const offered = [{ name: 'get_weather', description: 'weather', input_schema: city }]
    const used = (message) => ({ tools: message.content.filter((b) => b.type === 'tool_use').map((b) => [b.name, b.input]) })
    return {
      chat: async () => ({ text: (await client.messages.create(asked)).content[0].text }),
      stream: async () => ({ text: await client.messages.stream(asked).finalText() }),
      tools: async () => used(await client.messages.create({ ...asked, tools: offered })),
      stream_tools: async () => used(await client.messages.stream({ ...asked, tools: offered }).finalMessage()),
    }
  },
  async 'anthropic-bedrock'(base) {
    const { default: AnthropicBedrock } = await load('@anthropic-ai/bedrock-sdk')
    const client = new AnthropicBedrock({ baseURL: base, awsAccessKey: 'x', awsSecretKey: 'x', awsRegion: 'us-east-1', maxRetries: 0 })
    const asked = { model: 'anthropic.claude-matrix-v1:0', max_tokens: 100, messages }
    return {
      chat: async () => ({ text: (await client.messages.create(asked)).content[0].text }),
      stream: async () => join(await client.messages.create({ ...asked, stream: true }), (e) => e.delta?.text),
    }
  },
  async cerebras(base) {
    const { default: Cerebras } = await load('@cerebras/cerebras_cloud_sdk')
    const client = new Cerebras({ baseURL: base, apiKey: 'x', maxRetries: 0, warmTCPConnection: false })
    return completions((asked) => client.chat.completions.create(asked), 'gpt-matrix')
  },
  async perplexity(base) {
    const { default: Perplexity } = await load('@perplexity-ai/perplexity_ai')
    const client = new Perplexity({ baseURL: base, apiKey: 'x', maxRetries: 0 })
    return completions((asked) => client.chat.completions.create(asked), 'gpt-matrix')
  },
  async groq(base) {
    const { default: Groq } = await load('groq-sdk')
    const client = new Groq({ baseURL: base, apiKey: 'x', maxRetries: 0 })
    return completions((asked) => client.chat.completions.create(asked), 'groq-matrix')
  },
  async ollama(base) {
    const { Ollama } = await load('ollama')
    const client = new Ollama({ host: base })
    client.config.host = base
    const asked = { model: 'llama-matrix', messages }
    return {
      chat: async () => ({ text: (await client.chat(asked)).message.content }),
      stream: async () => join(await client.chat({ ...asked, stream: true }), (p) => p.message.content),
      tools: async () => toolsOf((await client.chat({ ...asked, tools })).message.tool_calls),
      generate: async () => ({ text: (await client.generate({ model: 'llama-matrix', prompt })).response }),
    }
  },
  async ai(base) {
    const { generateText, streamText, tool, jsonSchema } = await load('ai')
    const { createOpenAI } = await load('@ai-sdk/openai')
    const { createAnthropic } = await load('@ai-sdk/anthropic')
    const { createGoogleGenerativeAI } = await load('@ai-sdk/google')
    const provider = createOpenAI({ baseURL: base + '/v1', apiKey: 'x' })
    const claude = { model: createAnthropic({ baseURL: base + '/v1', apiKey: 'x' })('claude-matrix'), prompt, maxRetries: 0 }
    const gemini = { model: createGoogleGenerativeAI({ baseURL: base + '/v1beta', apiKey: 'x' })('gemini-matrix'), prompt, maxRetries: 0 }
    const offered = { get_weather: tool({ description: 'weather', inputSchema: jsonSchema(city) }) }
    const used = (answer) => ({ tools: answer.toolCalls.map((c) => [c.toolName, c.input]) })
    const asked = { model: provider.chat('gpt-matrix'), prompt, maxRetries: 0 }
    const responses = { ...asked, model: provider.responses('gpt-matrix') }
    return {
      chat: async () => ({ text: (await generateText(asked)).text }),
      stream: async () => ({ text: await streamText(asked).text }),
      tools: async () => used(await generateText({ ...asked, tools: offered })),
      responses: async () => ({ text: (await generateText(responses)).text }),
      responses_stream: async () => ({ text: await streamText(responses).text }),
      claude: async () => ({ text: (await generateText(claude)).text }),
      claude_stream: async () => ({ text: await streamText(claude).text }),
      claude_tools: async () => used(await generateText({ ...claude, tools: offered })),
      gemini: async () => ({ text: (await generateText(gemini)).text }),
      gemini_stream: async () => ({ text: await streamText(gemini).text }),
      gemini_tools: async () => used(await generateText({ ...gemini, tools: offered })),
      responses_tools: async () => used(await generateText({ ...responses, tools: offered })),
    }
  },
  async together(base) {
    const { default: Together } = await load('together-ai')
    const client = new Together({ baseURL: base + '/v1', apiKey: 'x', maxRetries: 0 })
    return completions((asked) => client.chat.completions.create(asked), 'gpt-matrix')
  },
  async voyage(base) {
    const { VoyageAIClient } = await load('voyageai')
    const client = new VoyageAIClient({ apiKey: 'x', environment: base + '/v1' })
    return {
      embed: async () => ({ vectors: (await client.embed({ input: [prompt, 'two'], model: 'voyage-matrix' })).data.length }),
      rerank: async () => {
        const answer = await client.rerank({ query: prompt, documents: ['a', 'b', 'c'], model: 'rerank-matrix', topK: 2 })
        return { vectors: answer.data.length }
      },
    }
  },
  async huggingface(base) {
    const { InferenceClient } = await load('@huggingface/inference')
    const client = new InferenceClient('x', { endpointUrl: base + '/v1' })
    const chat = completions((asked) => client.chatCompletion(asked), 'gpt-matrix')
    return {
      ...chat,
      stream: async () =>
        join(client.chatCompletionStream({ model: 'gpt-matrix', messages }), (c) => c.choices[0]?.delta.content),
    }
  },
  async replicate(base) {
    const { default: Replicate } = await load('replicate')
    const client = new (Replicate ?? require('replicate'))({ auth: 'x', baseUrl: base + '/v1' })
    return {
      predict: async () => ({ text: (await client.run('meta/llama-matrix', { input: { prompt } })).join('') }),
    }
  },
  async mistral(base) {
    const { Mistral } = await load('@mistralai/mistralai')
    const client = new Mistral({ apiKey: 'x', serverURL: base })
    const asked = { model: 'mistral-matrix', messages }
    return {
      chat: async () => ({ text: (await client.chat.complete(asked)).choices[0].message.content }),
      stream: async () => join(await client.chat.stream(asked), (e) => e.data.choices[0]?.delta.content),
      tools: async () => toolsOf((await client.chat.complete({ ...asked, tools })).choices[0].message.toolCalls),
    }
  },
  async genai(base) {
    const { GoogleGenAI } = await load('@google/genai')
    const client = new GoogleGenAI({ apiKey: 'x', httpOptions: { baseUrl: base } })
    const asked = { model: 'gemini-matrix', contents: prompt }
    const config = { tools: [{ functionDeclarations: [{ name: 'get_weather', parametersJsonSchema: city }] }] }
    return {
      chat: async () => ({ text: (await client.models.generateContent(asked)).text }),
      stream: async () => join(await client.models.generateContentStream(asked), (c) => c.text),
      tools: async () => {
        const answer = await client.models.generateContent({ ...asked, config })
        return { tools: answer.functionCalls.map((c) => [c.name, c.args]) }
      },
    }
  },
  async bedrock(base, target) {
    const aws = await load('@aws-sdk/client-bedrock-runtime')
    const options = { region: 'us-east-1', endpoint: base, credentials: { accessKeyId: 'x', secretAccessKey: 'x' }, maxAttempts: 1 }
    if (!target.http2) options.requestHandler = new (require('@smithy/node-http-handler').NodeHttpHandler)()
    const client = new aws.BedrockRuntimeClient(options)
    const modelId = 'anthropic.claude-matrix-v1:0'
    const asked = { modelId, messages: [{ role: 'user', content: [{ text: prompt }] }] }
    const toolConfig = { tools: [{ toolSpec: { name: 'get_weather', description: 'weather', inputSchema: { json: city } } }] }
    const raw = { modelId, contentType: 'application/json', body: JSON.stringify({ anthropic_version: 'bedrock-2023-05-31', max_tokens: 100, messages }) }
    const blocks = async (more) => (await client.send(new aws.ConverseCommand({ ...asked, ...more }))).output.message.content
    const event = (e) => JSON.parse(new TextDecoder().decode(e.chunk.bytes))
    return {
      chat: async () => ({ text: (await blocks({}))[0].text }),
      stream: async () =>
        join((await client.send(new aws.ConverseStreamCommand(asked))).stream, (e) => e.contentBlockDelta?.delta.text),
      tools: async () => ({ tools: (await blocks({ toolConfig })).map((b) => [b.toolUse.name, b.toolUse.input]) }),
      invoke: async () => {
        const { body } = await client.send(new aws.InvokeModelCommand(raw))
        return { text: JSON.parse(new TextDecoder().decode(body)).content[0].text }
      },
      invoke_stream: async () =>
        join((await client.send(new aws.InvokeModelWithResponseStreamCommand(raw))).body, (e) => event(e).delta?.text),
    }
  },
  async cohere(base) {
    const { CohereClientV2 } = await load('cohere-ai')
    const client = new CohereClientV2({ token: 'x', environment: base, maxRetries: 0 })
    const asked = { model: 'command-matrix', messages }
    return {
      chat: async () => ({ text: (await client.chat(asked)).message.content[0].text }),
      stream: async () =>
        join(await client.chatStream(asked), (e) => (e.type === 'content-delta' ? e.delta.message.content.text : '')),
      tools: async () => toolsOf((await client.chat({ ...asked, tools })).message.toolCalls),
      rerank: async () => {
        const answer = await client.rerank({ model: 'rerank-matrix', query: prompt, documents: ['a', 'b', 'c'], topN: 2 })
        return { vectors: answer.results.length }
      },
    }
  },
}

for (const target of JSON.parse(process.env.MATRIX)) {
  const made = await sdks[process.argv[2]](target.base, target)
  for (const [call, make] of Object.entries(made)) {
    let told
    try {
      told = await make()
    } catch (error) {
      told = { error: `${error} ${error.cause ?? ''}`.slice(0, 500) }
    }
    process.stdout.write(JSON.stringify({ base: target.base, call, ...told }) + '\n')
  }
}
process.exit(0)
