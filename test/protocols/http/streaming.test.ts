import { createHash } from 'node:crypto'
import {
  createServer,
  get,
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as later } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { startGateway, type Gateway } from './gateway.ts'

const headers = { authorization: 'Bearer alice' }
const large = Buffer.alloc(24 * 1024 * 1024, 'sallyport ')
const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

async function inFrontOf(listener: RequestListener): Promise<Gateway> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const gateway = await startGateway([{ upstream: `http://127.0.0.1:${port}` }])
  onTestFinished(async () => {
    await gateway.close()
    server.closeAllConnections()
    server.close()
  })
  return gateway
}

async function hashOf(stream: AsyncIterable<unknown>): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of stream) hash.update(chunk as Buffer)
  return hash.digest('hex')
}

test('an answer comes no faster than the client reads it, and whole', async () => {
  let unsent = (): number => 0
  const gateway = await inFrontOf((_, response) => {
    unsent = () => response.writableLength
    response.writeHead(200, { 'content-length': large.length })
    for (let i = 0; i < large.length; i += 65536) response.write(large.subarray(i, i + 65536))
    response.end()
  })
  const answer = await new Promise<IncomingMessage>((resolve) =>
    get(`${gateway.url}/crm/v1`, { headers }, resolve),
  )
  await later(100)
  // Most of it waits in the upstream still.
  expect(unsent()).toBeGreaterThan(large.length / 2)
  expect(await hashOf(answer)).toBe(sha256(large))
  expect(gateway.gate.outcomes).toMatchObject([{ result: 'succeeded', bytes: large.length }])
})

test.for(['content-length', 'chunked'])(
  'a request goes no faster than the upstream reads it, and whole: %s',
  async (framing) => {
    let read!: () => void
    const reading = new Promise<void>((resolve) => (read = resolve))
    const gateway = await inFrontOf((request, response) => {
      void reading.then(() => hashOf(request)).then((hash) => response.end(hash))
    })
    const call = httpRequest(`${gateway.url}/crm/v1`, {
      method: 'PUT',
      headers: { ...headers, ...(framing === 'content-length' && { [framing]: large.length }) },
    })
    const answered = new Promise<IncomingMessage>((resolve) => call.once('response', resolve))
    for (let i = 0; i < large.length; i += 65536) call.write(large.subarray(i, i + 65536))
    call.end()
    await later(100)
    expect(call.writableLength).toBeGreaterThan(large.length / 2)
    read()
    const answer = await answered
    expect((await answer.toArray()).join('')).toBe(sha256(large))
  },
)

test('an upstream that answers before it has the whole request: the client gets the answer, and the rest goes nowhere', async () => {
  const gateway = await inFrontOf((_, response) => response.writeHead(413).end('too much'))
  const call = httpRequest(`${gateway.url}/crm/v1`, { method: 'PUT', headers })
  const answered = new Promise<IncomingMessage>((resolve) => call.once('response', resolve))
  // Whether the rest is still read when the test is over is nobody's business.
  call.on('error', () => undefined)
  call.write(large.subarray(0, 4 * 1024 * 1024))
  const answer = await answered
  expect(answer.statusCode).toBe(413)
  expect((await answer.toArray()).join('')).toBe('too much')
  call.end(large.subarray(0, 1024))
  const after = await fetch(`${gateway.url}/crm/v1`, { headers })
  expect(after.status).toBe(413)
})

test('a thousand requests, side by side and in a row, each get their own answer', async () => {
  const gateway = await inFrontOf((request, response) => {
    response.end(`${request.method} ${request.url}`)
  })
  const agents = Array.from({ length: 20 }, async (_, agent) => {
    for (let i = 0; i < 50; i++) {
      const answer = await fetch(`${gateway.url}/crm/${agent}/${i}`, {
        headers: { authorization: `Bearer ${'abcdefghij'[agent % 10]}` },
      })
      expect(await answer.text()).toBe(`GET /${agent}/${i}`)
    }
  })
  await Promise.all(agents)
  expect(gateway.gate.outcomes).toHaveLength(1000)
})
