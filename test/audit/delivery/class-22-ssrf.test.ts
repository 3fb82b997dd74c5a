import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { until } from '../../support/audit.ts'
import { S3Server } from '../../support/s3-server.ts'
import { secret, Siem } from './receivers.ts'
import { Scene } from './scene.ts'

/** A receiver of deliveries that would have the gateway go elsewhere, or read without end. */

async function receiver(listener: RequestListener): Promise<string> {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const destinations: readonly [string, (url: string, s3: S3Server) => object][] = [
  ['webhook', (url) => ({ webhook: { url, secret } })],
  ['object storage', (endpoint, s3) => ({ s3: s3.config({ endpoint }) })],
]

test.each(destinations)('%s is followed to no other address', async (_, to) => {
  const scene = await Scene.open()
  let elsewhere = 0
  const inside = await receiver((_request, response) => {
    elsewhere += 1
    response.end()
  })
  let asked = 0
  const url = await receiver((request, response) => {
    asked += 1
    request.resume()
    response.writeHead([301, 302, 307, 308][asked % 4]!, { location: `${inside}/admin` }).end()
  })
  await scene.grow(1)
  await scene.deliver(to(url, await S3Server.start()))
  await until(async () => asked >= 4)
  expect(elsewhere).toBe(0)
  const { failures, cursor, lastError } = await scene.health()
  expect({ delivered: cursor > scene.first, lastError }).toEqual({
    delivered: false,
    lastError: expect.stringMatching(/^It answered with status 30\d$/),
  })
  expect(failures).toBeGreaterThan(0)
})

test.each(destinations)('%s is not looked for at an address of the cloud’s own', async (_, to) => {
  const scene = await Scene.open()
  await scene.grow(1)
  await scene.deliver(to('http://169.254.169.254', await S3Server.start()))
  await until(async () => (await scene.health()).lastError !== null)
  expect((await scene.health()).lastError).toBe('It has an address that nothing is sent to')
})

test.each(destinations)('an answer of %s that never ends is not read to its end', async (_, to) => {
  const scene = await Scene.open()
  let sent = 0
  let closed = 0
  const url = await receiver((request, response) => {
    request.resume()
    response.writeHead(500)
    const block = Buffer.alloc(64 * 1024, 'x')
    const more = () => {
      while (!response.destroyed && sent < 256 * 1024 * 1024) {
        sent += block.length
        if (!response.write(block)) return void response.once('drain', more)
      }
    }
    response.on('close', () => (closed += 1))
    more()
  })
  await scene.grow(1)
  await scene.deliver(to(url, await S3Server.start()))
  await until(async () => closed >= 2)
  expect(sent).toBeLessThan(64 * 1024 * 1024)
})

test('another path of the same receiver is another receiver, on record', async () => {
  const scene = await Scene.open()
  const siem = await Siem.start(scene.first)
  const name = 'another-path'
  await scene.grow(1)
  const first = await scene.deliver({ webhook: { url: siem.url, secret } }, { name })
  await scene.delivered(name)
  await first.stop()
  await scene.deliver({ webhook: { url: `${siem.url}/of-somebody-else`, secret } }, { name })
  const onRecord = () =>
    siem.lines
      .filter((line) => line.includes('audit.delivery_configured'))
      .map((line) => JSON.parse(line) as { details: { name: string; to: string; hash: string } })
      .filter(({ details }) => details.name === name)
  await until(async () => {
    await scene.delivered(name)
    return onRecord().length === 2
  })
  const configured = onRecord()
  expect(configured[0]!.details.to).toBe(configured[1]!.details.to)
  expect(configured[0]!.details.hash).not.toBe(configured[1]!.details.hash)
  expect(JSON.stringify(configured)).not.toContain('of-somebody-else')
})
