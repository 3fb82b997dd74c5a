import { createServer, request as ask } from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'
import { Readable, Writable } from 'node:stream'
import { expect, onTestFinished, test } from 'vitest'
import { startGateway } from './gateway.ts'

// Client, gateway and upstream are all in this process: what they hold together is more than what the gateway does.

const GiB = 1024 ** 3
const MiB = 1024 ** 2
const piece = Buffer.alloc(64 * 1024, 'x')

function* gibibyte() {
  for (let sent = 0; sent < GiB; sent += piece.length) yield piece
}

/** Counts, and keeps nothing. */
function counter() {
  let bytes = 0
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      bytes += chunk.length
      done()
    },
  })
  return { sink, bytes: () => bytes }
}

test.for([
  ['down', 'GET'],
  ['up', 'POST'],
] as const)('1 GiB %s goes through in constant memory', async ([, method]) => {
  const upstream = createServer((message, response) => {
    const { sink, bytes } = counter()
    if (method === 'GET') void pipeline(Readable.from(gibibyte()), response).catch(() => undefined)
    else void pipeline(message, sink).then(() => response.end(String(bytes())))
  })
  await new Promise<void>((resolve) => upstream.listen(0, '127.0.0.1', resolve))
  const { port } = upstream.address() as AddressInfo
  const gateway = await startGateway([{ upstream: `http://127.0.0.1:${port}` }])
  onTestFinished(async () => {
    await gateway.close()
    upstream.close()
  })

  const before = process.memoryUsage.rss()
  let peak = before
  const timer = setInterval(() => (peak = Math.max(peak, process.memoryUsage.rss())), 20)
  const headers = { authorization: 'Bearer alice' }
  const call = ask({ port: gateway.port, path: '/crm/v1', method, headers })
  const { sink, bytes } = counter()
  const answered = new Promise<void>((resolve, reject) =>
    call
      .on('response', (response) => void pipeline(response, sink).then(resolve, reject))
      .on('error', reject),
  )
  if (method === 'POST') await pipeline(Readable.from(gibibyte()), call)
  else call.end()
  await answered
  clearInterval(timer)

  const grown = (peak - before) / MiB
  expect(bytes()).toBe(method === 'GET' ? GiB : String(GiB).length)
  // What is collected late is in it too, of all three of them. Whoever kept the body would need 1024.
  expect(grown).toBeLessThan(300)
})
