import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { ModelMeter } from '../../../../src/protocols/http/model/meter.ts'
import { JsonPicker } from '../../../../src/protocols/http/model/pick-json.ts'
import { countsIn, type ModelApi } from '../../../../src/protocols/http/model/tokens.ts'

interface Answer {
  readonly api?: ModelApi
  readonly status?: number
  readonly type?: string
  readonly coding?: string
}

/** What is read of an answer that comes in pieces of so many bytes. */
async function read(body: string | Buffer, answer: Answer = {}, piece = 7) {
  const { api = 'openai', status = 200, type = 'application/json', coding } = answer
  const meter = new ModelMeter(api)
  const headers = ['Content-Type', type, ...(coding ? ['Content-Encoding', coding] : [])]
  meter.head({ status, headers })
  const bytes = Buffer.from(body)
  for (let at = 0; at < bytes.length; at += piece) meter.body(bytes.subarray(at, at + piece))
  return meter.end()
}

const completion = JSON.stringify({
  id: 'chatcmpl-1',
  choices: [{ message: { content: '{"model":"no","usage":{"prompt_tokens":9}}\\"', usage: 1 } }],
  model: 'gpt-5.1-mini',
  usage: {
    prompt_tokens: 900,
    completion_tokens: 40,
    total_tokens: 940,
    prompt_tokens_details: { cached_tokens: 512 },
  },
})
const counted = { model: 'gpt-5.1-mini', tokens_in: 900, tokens_out: 40, tokens_cached: 512 }
const events = (...data: object[]) =>
  data.map((one) => `event: x\ndata: ${JSON.stringify(one)}\n\n`).join('')
const stream = { type: 'text/event-stream; charset=utf-8' }

describe('the answer of a model', () => {
  test('in pieces of any size', async () => {
    for (const piece of [1, 2, 3, 64, 1e6])
      expect(await read(completion, {}, piece)).toEqual(counted)
  })

  test.each<[string, string | Buffer, Answer, object | null]>([
    ['packed', gzipSync(completion), { coding: 'gzip' }, counted],
    ['packed otherwise', deflateSync(completion), { coding: 'Deflate' }, counted],
    [
      'embeddings',
      '{"object":"list","data":[{"embedding":[0.1,-2e-3]}],"model":"embed-3","usage":{"prompt_tokens":8,"total_tokens":8}}',
      {},
      { model: 'embed-3', tokens_in: 8, tokens_out: 0, tokens_cached: 0 },
    ],
    [
      'a stream of chunks, with counts at its end',
      `${events({ model: 'gpt-x', choices: [{ delta: { content: 'usage' } }], usage: null })}${events({ model: 'gpt-x', choices: [], usage: { prompt_tokens: 5, completion_tokens: 6 } })}data: [DONE]\n\n`,
      stream,
      { model: 'gpt-x', tokens_in: 5, tokens_out: 6, tokens_cached: 0 },
    ],
    [
      'a stream of chunks without them',
      events({ model: 'gpt-x', choices: [{ delta: { content: 'hi' } }] }),
      stream,
      { model: 'gpt-x', unread: 'the answer has no counts' },
    ],
    [
      'a response, in events with line ends of any kind',
      `event: a\r\ndata:{"type":"response.created","response":{"model":"gpt-y","usage":null}}\r\r\n: comment\n\ndata: {"response":{"output":[{"usage":{"input_tokens":1}}],\ndata: "usage":{"input_tokens":7,"output_tokens":3,"input_tokens_details":{"cached_tokens":2}}}}\n\n`,
      stream,
      { model: 'gpt-y', tokens_in: 7, tokens_out: 3, tokens_cached: 2 },
    ],
    [
      'a message',
      '{"type":"message","model":"claude-x","content":[],"usage":{"input_tokens":10,"cache_read_input_tokens":100,"cache_creation_input_tokens":5,"output_tokens":20,"server_tool_use":{"web_search_requests":1}}}',
      { api: 'anthropic' },
      { model: 'claude-x', tokens_in: 115, tokens_out: 20, tokens_cached: 100 },
    ],
    [
      'a message in events, whose output is counted as it grows',
      events(
        { message: { model: 'claude-x', usage: { input_tokens: 12, output_tokens: 1 } } },
        { type: 'content_block_delta', delta: { text: '"usage":{"output_tokens":99}' } },
        { type: 'message_delta', usage: { output_tokens: 15 } },
      ),
      { api: 'anthropic', ...stream },
      { model: 'claude-x', tokens_in: 12, tokens_out: 15, tokens_cached: 0 },
    ],
    [
      'a message that broke off',
      `${events({ message: { model: 'claude-x', usage: { input_tokens: 12, output_tokens: 1 } } })}data: {"usage":{"outp`,
      { api: 'anthropic', ...stream },
      { model: 'claude-x', tokens_in: 12, tokens_out: 1, tokens_cached: 0 },
    ],
    ['nothing of a model', '{"object":"list","data":[]}', {}, null],
    ['no JSON at all', '<html>"usage":{"prompt_tokens":1}', {}, null],
    ['a refusal', completion, { status: 429 }, null],
    ['speech', completion, { type: 'audio/mpeg' }, null],
    [
      'packed in what is not read',
      brotliCompressSync(completion),
      { coding: 'br' },
      { unread: 'the answer is packed with br' },
    ],
    [
      'not packed as it says',
      completion,
      { coding: 'gzip' },
      { unread: 'the answer cannot be unpacked' },
    ],
    [
      'packed, and broken off',
      gzipSync(completion).subarray(0, 40),
      { coding: 'gzip' },
      { unread: 'the answer cannot be unpacked' },
    ],
    [
      'with a name that no model has, and counts that are none',
      '{"model":"\\u202e<img>","usage":{"prompt_tokens":-1,"completion_tokens":1e99,"input_tokens":4}}',
      {},
      { tokens_in: 4, tokens_out: 0, tokens_cached: 0 },
    ],
    ['deeper than anything', `${'{"a":'.repeat(9e5)}1`, {}, null],
    [
      'a response that repeats how deep its question was, before the counts',
      `{"model":"gpt-y","tools":${'[{"usage":'.repeat(500)}1${'}]'.repeat(500)},"usage":{"input_tokens":7,"output_tokens":3}}`,
      {},
      { model: 'gpt-y', tokens_in: 7, tokens_out: 3, tokens_cached: 0 },
    ],
    ['with a member that is too long', `{"usage":{"x":"${'y'.repeat(5_000)}"}}`, {}, null],
    ['with a key that is too long', `{"${'k'.repeat(65)}usage":{"prompt_tokens":1}}`, {}, null],
  ])('%s', async (_, body, answer, use) => {
    expect(await read(body, answer, 1_000)).toEqual(use)
  })

  test('nothing is kept of counts that nobody asks for, however many a stream has', () => {
    const usage = {
      input_tokens: 7,
      made_up: 1,
      server_tool_use: { requests: 1 },
      deep: { er: {} },
    }
    expect(countsIn(usage)).toEqual({ input_tokens: 7 })
  })

  test('a bomb is not unpacked to its end', async () => {
    const zeros = gzipSync(Buffer.alloc(80 * 1024 * 1024))
    const use = await read(zeros, { coding: 'gzip' }, 1e6)
    expect(use).toEqual({ unread: 'the answer is too large, unpacked' })
  })
})

test('whatever JSON comes, in whatever pieces, what is picked is what is there', () => {
  fc.assert(
    fc.property(
      fc.jsonValue({ maxDepth: 4 }),
      fc.jsonValue({ maxDepth: 2 }),
      fc.integer({ min: 1, max: 9 }),
      fc.boolean(),
      (other, usage, piece, spaced) => {
        const value = { other, usage, response: { 'a"b': other, usage } }
        const bytes = Buffer.from(JSON.stringify(value, null, spaced ? 2 : 0))
        fc.pre(JSON.stringify(usage, null, 2).length < 2_000)
        const picker = new JsonPicker(new Set(['usage', 'response.usage']))
        for (let at = 0; at < bytes.length; at += piece) picker.take(bytes.subarray(at, at + piece))
        const found = ['usage', 'response.usage'].map((path) => JSON.parse(picker.found.get(path)!))
        expect(found).toEqual(JSON.parse(JSON.stringify([usage, usage])))
      },
    ),
  )
})
