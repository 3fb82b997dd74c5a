import Anthropic from '@anthropic-ai/sdk'
import OpenAI from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { startModelServer, type ModelServer } from './model-server.ts'

let server: ModelServer
let gateway: TestGateway
let openai: OpenAI
let anthropic: Anthropic

beforeAll(async () => {
  server = await startModelServer()
  gateway = await startTestGateway({
    upstream: server.url,
    resources: `  - name: openai
    protocol: http
    match: { prefix: /openai }
    upstream: ${server.url}
    credential: { header: Authorization, value: Bearer key-of-the-company }
    usage: openai
  - name: claude
    protocol: http
    match: { prefix: /claude }
    upstream: ${server.url}
    credential: { header: X-Api-Key, value: key-of-the-company }
    usage: anthropic
`,
    config: `datasets:
  - name: llm
    classes: [spend]
    routes: [{ on: openai, route: '* /v1/**' }, { on: claude, route: '* /v1/**' }]
`,
    policies: {
      'models.yaml': `rules:
  - { name: agents-ask-models, on: [openai, claude], then: allow }
  - name: two-hundred-and-fifty-tokens-a-day
    on: [openai, claude]
    when: 'usage.tokens(subject, "llm", "24h") >= 250'
    then: deny
    reason: BUDGET
  - name: two-questions-of-interns
    who: { subject: intern }
    on: openai
    when: 'usage.actions(subject, "class:spend", "1h") >= 2'
    then: hold
    approval: { from: { group: support-leads }, expires: 10m }
`,
    },
  })
  const key = await gateway.agentToken()
  openai = new OpenAI({ baseURL: `${gateway.agentsUrl}/openai/v1`, apiKey: key, maxRetries: 0 })
  const baseURL = `${gateway.agentsUrl}/claude`
  anthropic = new Anthropic({ baseURL, authToken: key, apiKey: null, maxRetries: 0 })
})
afterAll(async () => {
  await gateway.close()
  server.close()
})

const question = [{ role: 'user' as const, content: 'Good morning, secret-of-the-prompt' }]

/** What is on record of the newest action, once it has ended. */
async function lastUse(): Promise<unknown> {
  const events = async () => {
    const answer = await gateway.person('dana', '/api/audit/events?type=action.completed')
    return ((await answer.json()) as { events: { usage?: unknown }[] }).events
  }
  await expect
    .poll(async () => (await events()).length, { timeout: 60_000 })
    .toBe(server.requests.length)
  return (await events())[0]!.usage
}

const llm = { datasets: ['llm'], classes: ['spend'], tables: [], columns: [] }

describe('the clients of providers work unchanged, and what they use is on record', () => {
  test('a chat completion, packed', async () => {
    const { choices } = await openai.chat.completions.create({ model: 'x', messages: question })
    expect(choices[0]!.message.content).toBe('Good day')
    const counts = { tokens_in: 11, tokens_out: 4, tokens_cached: 8 }
    expect(await lastUse()).toEqual({ ...llm, model: 'gpt-test', ...counts })
    expect(server.requests.at(-1)).toMatchObject({
      authorization: 'Bearer key-of-the-company',
      'accept-encoding': expect.not.stringMatching(/\bbr\b|zstd|\*/),
    })
  })

  test('a chat completion in a stream, with counts and without', async () => {
    const asked = { model: 'x', messages: question, stream: true } as const
    const said = async (stream: AsyncIterable<OpenAI.ChatCompletionChunk>) => {
      let text = ''
      for await (const { choices } of stream) text += choices[0]?.delta.content ?? ''
      return text
    }
    const counted = { ...asked, stream_options: { include_usage: true } }
    expect(await said(await openai.chat.completions.create(counted))).toBe('Good day')
    expect(await lastUse()).toMatchObject({ model: 'gpt-test', tokens_in: 11, tokens_out: 4 })
    expect(await said(await openai.chat.completions.create(asked))).toBe('Good day')
    expect(await lastUse()).toEqual({
      ...{ ...llm, model: 'gpt-test' },
      unread: 'the answer has no counts',
    })
  })

  test('a response, and one in a stream', async () => {
    await openai.responses.create({ model: 'x', input: 'Good morning' })
    expect(await lastUse()).toMatchObject({ model: 'gpt-test', tokens_in: 21, tokens_out: 5 })
    const stream = await openai.responses.create({ model: 'x', input: 'Hi', stream: true })
    const types: string[] = []
    for await (const { type } of stream) types.push(type)
    expect(types).toEqual(['response.created', 'response.completed'])
    expect(await lastUse()).toMatchObject({ model: 'gpt-test', tokens_in: 21, tokens_out: 5 })
  })

  test('embeddings', async () => {
    const { data } = await openai.embeddings.create({
      ...{ model: 'x', input: 'Good morning', encoding_format: 'float' },
    })
    expect(data[0]!.embedding).toEqual([0.25, -0.5])
    expect(await lastUse()).toMatchObject({ model: 'embed-test', tokens_in: 6, tokens_out: 0 })
  })

  test('a message, and one in a stream', async () => {
    const asked = { model: 'x', max_tokens: 9, messages: question }
    const { content } = await anthropic.messages.create(asked)
    expect(content).toMatchObject([{ text: 'Good day' }])
    const counts = { tokens_in: 50, tokens_out: 9, tokens_cached: 20 }
    expect(await lastUse()).toEqual({ ...llm, model: 'claude-test', ...counts })
    const message = await anthropic.messages.stream(asked).finalMessage()
    expect(message.content).toMatchObject([{ text: 'Good day' }])
    expect(await lastUse()).toEqual({ ...llm, model: 'claude-test', ...counts })
    expect(server.requests.at(-1)).toMatchObject({ 'x-api-key': 'key-of-the-company' })
    expect(server.requests.at(-1)).not.toHaveProperty('authorization')
  })

  test('charts count it by model, and nothing of questions and answers is kept', async () => {
    const report = async () => {
      const answer = await gateway.person('dana', '/api/usage?by=model')
      return ((await answer.json()) as { usage: { name: string }[] }).usage
    }
    await expect.poll(report, { timeout: 60_000 }).toMatchObject([
      { name: 'claude-test', runs: 2, tokens_in: 100, tokens_out: 18, tokens_cached: 40 },
      { name: 'embed-test', runs: 1, tokens_in: 6 },
      { name: 'gpt-test', runs: 5, tokens_in: 64, tokens_out: 18, tokens_cached: 8 },
    ])
    const log = (await gateway.auditLog()).join('\n')
    expect(log).toContain('"tokens_cached":20')
    expect(log).not.toMatch(/secret-of-the-prompt|Good day/)
  })
})

describe('a budget of tokens', () => {
  const ask = (client: OpenAI) =>
    client.responses.create({ model: 'x', input: 'Good morning' }).then(
      () => 'answered',
      (error: unknown) => error,
    )
  const clientOf = async (claims: Record<string, unknown>) =>
    new OpenAI({
      baseURL: `${gateway.agentsUrl}/openai/v1`,
      apiKey: await gateway.agentToken(claims),
      maxRetries: 0,
    })

  test('lets everything run before it is used up, and nothing after', async () => {
    const client = await clientOf({ sub: 'frugal-agent' })
    const answers = []
    // 26 tokens each: the tenth brings it to 260.
    for (let i = 0; i < 12; i += 1) answers.push(await ask(client))
    expect(answers.filter((answer) => answer === 'answered')).toHaveLength(10)
    expect(answers.at(-1)).toMatchObject({ status: 403, error: expect.anything() })
    const decided = await gateway.person('dana', '/api/audit/events?reason=BUDGET')
    const { events } = (await decided.json()) as { events: Record<string, unknown>[] }
    expect(events).toMatchObject([
      { attributes: { usage: { 'tokens llm 24h': 260 } } },
      { attributes: { usage: { 'tokens llm 24h': 260 } } },
    ])
    expect(await ask(await clientOf({ sub: 'another-agent' }))).toBe('answered')
  })

  test('holds what is over it; people see the count, that it is a first, and let one run', async () => {
    const client = await clientOf({ sub: 'intern' })
    expect([await ask(client), await ask(client)]).toEqual(['answered', 'answered'])
    const third = ask(client)
    const approval = await gateway.pending()
    expect(approval).toMatchObject({
      usage: { 'actions class:spend 1h': 2 },
      data: { datasets: ['llm'], classes: ['spend'] },
      first_use: [],
    })
    expect((await gateway.vote('dana', approval)).status).toBe(200)
    expect(await third).toBe('answered')
  })
})
