import { readFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { startUpstream } from '../../support/upstream.ts'
import { problemIn, request, startGateway, statusOf, turns } from './gateway.ts'

const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}.pem`, import.meta.url))
const pair = (name: string) => ({
  cert: readFileSync(fixture(`${name}.cert`)),
  key: readFileSync(fixture(`${name}.key`)),
})
const credential = { header: 'Authorization', value: 'Bearer upstream-secret' }

async function inFrontOf(name: string, host: string, ca?: string) {
  const upstream = await startUpstream(undefined, pair(name))
  onTestFinished(upstream.close)
  const url = `https://${host}:${upstream.port}`
  const gateway = await startGateway([
    { upstream: url, credential, ...(ca && { ca: fixture(ca) }) },
  ])
  onTestFinished(gateway.close)
  return { upstream, gateway }
}

test.for([
  ['an authority that nobody trusts', 'upstream', '127.0.0.1', undefined],
  ['the name of another host', 'other-name', 'localhost', 'ca'],
  ['the name of another host, by address', 'other-name', '127.0.0.1', 'ca'],
] as const)(
  'a certificate of %s: 502, and no byte of the credential leaves',
  async ([, name, host, ca]) => {
    const { upstream, gateway } = await inFrontOf(name, host, ca)
    const answer = await gateway.raw(request('/crm/v1'))
    expect(statusOf(answer)).toBe(502)
    expect(problemIn(answer).detail).toMatch(/^The upstream cannot prove who it is \(/)
    expect(upstream.requests).toEqual([])
    expect(Buffer.concat(upstream.connections).length).toBe(0)
    expect(gateway.gate.outcomes).toMatchObject([
      { result: 'failed', error: 'upstream-unreachable' },
    ])
  },
)

test.for(['localhost', '127.0.0.1'])(
  'an upstream of a configured authority is trusted: %s',
  async (host) => {
    const { upstream, gateway } = await inFrontOf('upstream', host, 'ca')
    for (let i = 0; i < 2; i++) {
      expect(statusOf(await gateway.raw(request('/crm/v1')))).toBe(200)
      await turns()
    }
    expect(upstream.requests[0]!.headers).toContain('authorization: Bearer upstream-secret')
    expect(upstream.connections).toHaveLength(1)
  },
)

test('a new connection that resumes a session is verified all the same', async () => {
  const { upstream, gateway } = await inFrontOf('upstream', 'localhost', 'ca')
  for (const agent of ['alice', 'bob', 'carol']) {
    expect(statusOf(await gateway.raw(request('/crm/v1').replace('alice', agent)))).toBe(200)
    await turns()
  }
  expect(upstream.connections).toHaveLength(3)
})

test('an upstream that speaks no TLS: 502', async () => {
  let seen = ''
  const plain = createServer((socket) => {
    socket.on('error', () => undefined)
    socket.on('data', (bytes) => {
      seen += bytes.toString('latin1')
      socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')
    })
  })
  await new Promise<void>((resolve) => plain.listen(0, '127.0.0.1', resolve))
  const { port } = plain.address() as AddressInfo
  const gateway = await startGateway([{ upstream: `https://127.0.0.1:${port}`, credential }])
  onTestFinished(async () => {
    await gateway.close()
    plain.close()
  })
  expect(statusOf(await gateway.raw(request('/crm/v1')))).toBe(502)
  expect(seen).not.toContain('upstream-secret')
})

test('a file of an authority that cannot be read stops the start', async () => {
  await expect(
    startGateway([{ upstream: 'https://crm.test', ca: '/nowhere.pem' }]),
  ).rejects.toThrow('ENOENT')
})
