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
    // A CommonJS file in a package that says it is a module fails by its first name.
    const isModule = ['ERR_REQUIRE_ESM', 'ERR_PACKAGE_PATH_NOT_EXPORTED'].includes(error.code) || error instanceof ReferenceError
    if (!isModule) throw error
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

// The rest of OpenAI's API, as far as an SDK that is made like its own has it.
function more(client, model, ...names) {
  const all = {
    complete: async () => ({ text: (await client.completions.create({ model, prompt })).choices[0].text }),
    complete_stream: async () =>
      join(await client.completions.create({ model, prompt, stream: true }), (c) => c.choices[0]?.text),
    embed: async () => ({ vectors: (await client.embeddings.create({ model: 'embed-matrix', input: [prompt, 'two'] })).data.length }),
    respond: async () => {
      const { output } = await client.responses.create({ model, input: prompt })
      return { text: output.flatMap((item) => item.content.map((part) => part.text)).join('') }
    },
    respond_stream: async () =>
      join(await client.responses.create({ model, input: prompt, stream: true }), (e) =>
        e.type === 'response.output_text.delta' ? e.delta : ''),
  }
  return Object.fromEntries(names.map((name) => [name, all[name]]))
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
  async sambanova(base) {
    const { default: SambaNova } = await load('sambanova')
    const client = new SambaNova({ baseURL: base + '/v1', apiKey: 'x', maxRetries: 0 })
    return {
      ...completions((asked) => client.chat.completions.create(asked), 'gpt-matrix'),
      ...more(client, 'gpt-matrix', 'complete', 'complete_stream', 'embed'),
    }
  },
  async 'llama-stack'(base) {
    const { default: LlamaStack } = await load('llama-stack-client')
    const client = new LlamaStack({ baseURL: base, apiKey: 'x', maxRetries: 0 })
    return {
      ...completions((asked) => client.chat.completions.create(asked), 'gpt-matrix'),
      ...more(client, 'gpt-matrix', 'complete', 'complete_stream', 'embed', 'respond', 'respond_stream'),
    }
  },
  async portkey(base) {
    const { Portkey } = await load('portkey-ai')
    const client = new Portkey({ baseURL: base + '/v1', apiKey: 'x', provider: 'openai', Authorization: 'x' })
    return {
      ...completions((asked) => client.chat.completions.create(asked), 'gpt-matrix'),
      ...more(client, 'gpt-matrix', 'complete', 'complete_stream', 'embed', 'respond', 'respond_stream'),
    }
  },
  async writer(base) {
    const { default: Writer } = await load('writer-sdk')
    const client = new Writer({ baseURL: base.replace('noise=1', 'noise=1,vendor=writer'), apiKey: 'x', maxRetries: 0 })
    const model = 'palmyra-matrix'
    return {
      ...completions((asked) => client.chat.chat(asked), model),
      ...more(client, model, 'complete'),
      complete_stream: async () => join(await client.completions.create({ model, prompt, stream: true }), (c) => c.value),
    }
  },
  async ai21(base) {
    const { AI21 } = await load('ai21')
    const client = new AI21({ baseURL: base, apiKey: 'x', maxRetries: 0 })
    return completions((asked) => client.chat.completions.create(asked), 'jamba-matrix')
  },
  async watsonx(base) {
    const { WatsonXAI } = await load('@ibm-cloud/watsonx-ai')
    const { NoAuthAuthenticator } = require('ibm-cloud-sdk-core')
    const client = new WatsonXAI({ version: '2026-01-01', serviceUrl: base, authenticator: new NoAuthAuthenticator() })
    const asked = { modelId: 'ibm/granite-matrix', projectId: 'p' }
    const said = (answer) => answer.result.choices[0].message
    const streamed = { ...asked, returnObject: true }
    return {
      chat: async () => ({ text: said(await client.textChat({ ...asked, messages })).content }),
      stream: async () =>
        join(await client.textChatStream({ ...streamed, messages }), (e) => e.data.choices[0]?.delta.content),
      tools: async () => toolsOf(said(await client.textChat({ ...asked, messages, tools })).tool_calls),
      generate: async () => ({ text: (await client.generateText({ ...asked, input: prompt })).result.results[0].generated_text }),
      generate_stream: async () =>
        join(await client.generateTextStream({ ...streamed, input: prompt }), (e) => e.data.results[0]?.generated_text),
      embed: async () => {
        const answer = await client.embedText({ ...asked, modelId: 'ibm/embed-matrix', inputs: [prompt, 'two'] })
        return { vectors: answer.result.results.length }
      },
      rerank: async () => {
        const inputs = ['a', 'b', 'c'].map((text) => ({ text }))
        const answer = await client.textRerank({ ...asked, modelId: 'ibm/rerank-matrix', query: prompt, inputs })
        return { vectors: answer.result.results.length }
      },
    }
  },
  async 'azure-inference'(base) {
    const { default: made } = await load('@azure-rest/ai-inference')
    const client = (made.default ?? made)(base + '/models', { key: 'x' }, { allowInsecureConnection: true, retryOptions: { maxRetries: 0 } })
    const post = async (path, body) => {
      const answer = await client.path(path).post({ body })
      if (answer.status !== '200') throw new Error(JSON.stringify(answer.body))
      return answer.body
    }
    return {
      ...completions((asked) => post('/chat/completions', asked), 'gpt-matrix'),
      stream: async () => {
        const body = { model: 'gpt-matrix', messages, stream: true }
        const { body: events } = await client.path('/chat/completions').post({ body }).asNodeStream()
        const lines = require('node:readline').createInterface({ input: events })
        return join(lines, (line) => (line.startsWith('data: {') ? JSON.parse(line.slice(6)).choices[0]?.delta.content : ''))
      },
      embed: async () => ({ vectors: (await post('/embeddings', { model: 'embed-matrix', input: [prompt, 'two'] })).data.length }),
    }
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
  async 'bedrock-sonic'(base) {
    const aws = await load('@aws-sdk/client-bedrock-runtime')
    const requestHandler = new (require('@smithy/node-http-handler').NodeHttp2Handler)()
    const options = { region: 'us-east-1', endpoint: base, credentials: { accessKeyId: 'x', secretAccessKey: 'x' }, maxAttempts: 1 }
    const client = new aws.BedrockRuntimeClient({ ...options, requestHandler })
    const named = { promptName: 'p', contentName: 'c' }
    const chunk = (name, value) => ({ chunk: { bytes: new TextEncoder().encode(JSON.stringify({ event: { [name]: value } })) } })
    function* content(type, role, name, parts) {
      yield chunk('contentStart', { ...named, type, role, interactive: true })
      for (const part of parts) yield chunk(name, { ...named, content: part })
      yield chunk('contentEnd', named)
    }
    // Asks again when it was answered, and hangs up when all is said.
    async function converse(turns, toolConfiguration) {
      const said = Array.from({ length: turns }, () => ({ text: '', tools: [], done: {} }))
      for (const turn of said) turn.over = new Promise((resolve, reject) => (turn.done = { resolve, reject }))
      async function* body() {
        yield chunk('sessionStart', { inferenceConfiguration: { maxTokens: 100 } })
        yield chunk('promptStart', { promptName: 'p', audioOutputConfiguration: { mediaType: 'audio/lpcm' }, toolConfiguration })
        yield* content('TEXT', 'SYSTEM', 'textInput', ['be kind'])
        for (const turn of said) {
          yield* content('AUDIO', 'USER', 'audioInput', Array(4).fill(Buffer.alloc(1024).toString('base64')))
          await turn.over
        }
        yield chunk('promptEnd', { promptName: 'p' })
        yield chunk('sessionEnd', {})
      }
      const modelId = 'amazon.nova-sonic-matrix-v1:0'
      const answer = await client.send(new aws.InvokeModelWithBidirectionalStreamCommand({ modelId, body: body() }))
      let [at, isFinal] = [0, false]
      for await (const { chunk: part } of answer.body) {
        const { event } = JSON.parse(new TextDecoder().decode(part.bytes))
        if (event.contentStart) isFinal = /FINAL/.test(event.contentStart.additionalModelFields ?? '')
        if (event.textOutput?.role === 'ASSISTANT' && isFinal) said[at].text += event.textOutput.content
        if (event.toolUse) said[at].tools.push([event.toolUse.toolName, JSON.parse(event.toolUse.content)])
        if (event.completionEnd) said[at++].done.resolve()
      }
      return said
    }
    const spec = { name: 'get_weather', description: 'weather', inputSchema: { json: JSON.stringify(city) } }
    return {
      speak: async () => (await converse(2)).map(({ text }) => ({ text })),
      tools: async () => (await converse(1, { tools: [{ toolSpec: spec }] })).map((turn) => ({ tools: turn.tools })),
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
    for (const one of Array.isArray(told) ? told : [told])
      process.stdout.write(JSON.stringify({ base: target.base, call, ...one }) + '\n')
  }
}
process.exit(0)
