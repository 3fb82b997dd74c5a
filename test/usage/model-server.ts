import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'

export interface ModelServer {
  readonly url: string
  /** The headers of each request. */
  readonly requests: IncomingMessage['headers'][]
  close(): void
}

const usage = { prompt_tokens: 11, completion_tokens: 4, total_tokens: 15 }
const chunk = (choices: object[], more: object = {}) => ({
  ...{ id: 'chatcmpl-1', object: 'chat.completion.chunk', created: 1, model: 'gpt-test', choices },
  ...more,
})
const message = {
  ...{ id: 'msg_1', type: 'message', role: 'assistant', model: 'claude-test' },
  ...{ stop_reason: null, stop_sequence: null },
}

/** What each path answers to a question; a list is a stream of events. */
const answers: Readonly<Record<string, (asked: Asked) => object>> = {
  '/v1/chat/completions': ({ stream, stream_options }) =>
    stream
      ? [
          chunk([{ index: 0, delta: { role: 'assistant', content: 'Good ' } }]),
          chunk([{ index: 0, delta: { content: 'day' }, finish_reason: 'stop' }]),
          ...(stream_options?.include_usage ? [chunk([], { usage })] : []),
        ]
      : {
          ...chunk([{ index: 0, message: { role: 'assistant', content: 'Good day' } }]),
          usage: { ...usage, prompt_tokens_details: { cached_tokens: 8 } },
        },
  '/v1/responses': ({ stream }) => {
    const response = { id: 'resp_1', object: 'response', model: 'gpt-test', output: [] }
    const used = { input_tokens: 21, output_tokens: 5, total_tokens: 26 }
    const completed = { ...response, status: 'completed', usage: used }
    if (!stream) return completed
    return [
      { type: 'response.created', sequence_number: 0, response: { ...response, usage: null } },
      { type: 'response.completed', sequence_number: 1, response: completed },
    ]
  },
  '/v1/embeddings': () => ({
    object: 'list',
    data: [{ object: 'embedding', index: 0, embedding: [0.25, -0.5] }],
    model: 'embed-test',
    usage: { prompt_tokens: 6, total_tokens: 6 },
  }),
  '/v1/messages': ({ stream }) => {
    const used = { input_tokens: 30, cache_read_input_tokens: 20, output_tokens: 1 }
    if (!stream)
      return {
        ...message,
        content: [{ type: 'text', text: 'Good day' }],
        usage: { ...used, output_tokens: 9 },
      }
    const text = { type: 'text_delta', text: 'Good day' }
    return [
      { type: 'message_start', message: { ...message, content: [], usage: used } },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 0, delta: text },
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 9 } },
      { type: 'message_stop' },
    ]
  },
}

interface Asked {
  readonly stream?: boolean
  readonly stream_options?: { readonly include_usage?: boolean }
}

/** Speaks the APIs of models, as far as their own clients want to hear. It packs answers for those who take that. */
export async function startModelServer(): Promise<ModelServer> {
  const requests: IncomingMessage['headers'][] = []
  const server = createServer((request, response) => void answer(request, response))

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    requests.push(request.headers)
    const parts: Buffer[] = []
    for await (const part of request) parts.push(part as Buffer)
    const asked = JSON.parse(Buffer.concat(parts).toString()) as Asked
    const said = answers[request.url!]!(asked)
    if (!Array.isArray(said)) return sendJson(request, response, said)
    response.writeHead(200, { 'content-type': 'text/event-stream' })
    for (const event of said as { type?: string }[]) {
      const name = event.type ? `event: ${event.type}\n` : ''
      response.write(`${name}data: ${JSON.stringify(event)}\n\n`)
    }
    response.end(request.url!.endsWith('completions') ? 'data: [DONE]\n\n' : '')
  }

  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, requests, close: () => void server.close() }
}

function sendJson(request: IncomingMessage, response: ServerResponse, said: object): void {
  const body = Buffer.from(JSON.stringify(said))
  const packed = /\bgzip\b/.test(String(request.headers['accept-encoding']))
  const coding = packed ? { 'content-encoding': 'gzip' } : {}
  response.writeHead(200, { 'content-type': 'application/json', ...coding })
  response.end(packed ? gzipSync(body) : body)
}
