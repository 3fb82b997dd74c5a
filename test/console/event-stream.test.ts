import { once } from 'node:events'
import { createServer, type ServerResponse } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { EventStream } from '../../src/console/event-stream.ts'

const limits = { heartbeat: 20, longest: 60_000, mostWaiting: 1024 * 1024 }

/** More than the system takes for a reader that does not read. */
const large = 'x'.repeat(16 * 1024 * 1024)

/** A page that asks for a stream, and reads nothing of it. */
async function toASleeper() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const asked = once(server, 'request') as Promise<[unknown, ServerResponse]>
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1')
  client.pause()
  client.on('error', () => client.destroy())
  client.write('GET / HTTP/1.1\r\nHost: console\r\n\r\n')
  onTestFinished(() => {
    client.destroy()
    server.close()
  })
  const [, raw] = await asked
  return { client, raw }
}

test('class 23: a page that fell asleep before its stream ended does not bring the gateway down', async () => {
  const { raw } = await toASleeper()
  const stream = new EventStream(raw, limits)
  const closed = once(raw, 'close')
  stream.send('approval', large)
  stream.end()
  // Nobody listens for errors of `raw`: one of them would end this process.
  stream.send('approval', {})
  await closed
  stream.send('approval', {})
  expect(raw.destroyed).toBe(true)
})

test('class 23: for a page that does not read, a bounded amount waits; then it is cut off', async () => {
  const { raw } = await toASleeper()
  const stream = new EventStream(raw, limits)
  const closed = once(raw, 'close')
  stream.send('approval', large)
  expect(raw.destroyed).toBe(false)
  stream.send('approval', {})
  await closed
  expect(raw.writableLength).toBeLessThanOrEqual(large.length)
})

test('a page that went away before its stream began leaves nothing behind', async () => {
  const { client, raw } = await toASleeper()
  const gone = once(raw, 'close')
  client.destroy()
  await gone
  let closed = 0
  new EventStream(raw, limits).onClose(() => (closed += 1))
  expect(closed).toBe(1)
})
