import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { connect, createServer, type TLSSocket } from 'node:tls'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { GatheredReads } from '../../../../src/protocols/postgres/login/gathered-reads.ts'
import { Authority, openssl, type CertificateFiles } from '../../../support/certificates.ts'

/** Over real TLS: one end writes small records, as a server does; the other one is read as a session reads it. */
describe.runIf(openssl)('reads from a connection inside of TLS', () => {
  let authority: Authority
  let files: CertificateFiles
  beforeAll(() => {
    authority = new Authority()
    files = authority.issue('server')
  })

  async function connected(): Promise<{ server: TLSSocket; reads: GatheredReads }> {
    const listening = createServer({ cert: readFileSync(files.cert), key: readFileSync(files.key) })
    listening.listen(0, '127.0.0.1')
    await once(listening, 'listening')
    const { port } = listening.address() as AddressInfo
    const client = connect({ host: '127.0.0.1', port, ca: authority.pem, servername: 'localhost' })
    const [[server]] = (await Promise.all([
      once(listening, 'secureConnection'),
      once(client, 'secureConnect'),
    ])) as [[TLSSocket], unknown]
    server.on('error', () => server.destroy())
    client.pause()
    onTestFinished(() => {
      client.destroy()
      listening.close()
    })
    return { server, reads: new GatheredReads(client) }
  }

  const record = (i: number) => Buffer.alloc(8192, i)

  /** Writes them one by one: each is a record. */
  async function write(server: TLSSocket, count: number): Promise<void> {
    for (let i = 0; i < count; i++)
      await new Promise<void>((resolve) => server.write(record(i), () => resolve()))
  }

  test('are put together, in order, and end behind the last byte', async () => {
    const { server, reads } = await connected()
    const chunks: Buffer[] = []
    const said: string[] = []
    reads.on('data', (bytes: Buffer) => {
      chunks.push(Buffer.from(bytes))
      // As a session does while its client takes that.
      reads.pause()
      setImmediate(() => reads.resume())
    })
    for (const event of ['end', 'close'] as const) reads.on(event, () => said.push(event))
    const over = once(reads, 'close')
    reads.resume()
    await write(server, 100)
    server.end()
    reads.end()
    await over
    expect(Buffer.concat(chunks)).toEqual(
      Buffer.concat(Array.from({ length: 100 }, (_, i) => record(i))),
    )
    expect(said).toEqual(['end', 'close'])
  })

  test('leave what was given as it is until the next one is asked for, and say nothing of an end before', async () => {
    const { server, reads } = await connected()
    let given: Buffer = Buffer.alloc(0)
    const said: string[] = []
    for (const event of ['end', 'close'] as const) reads.on(event, () => said.push(event))
    reads.on('data', (bytes: Buffer) => {
      given = bytes
      reads.pause()
      said.push('data')
    })
    reads.resume()
    server.write(record(1))
    await once(reads, 'data')
    await write(server, 10)
    server.end()
    await once(server, 'close').catch(() => undefined)
    expect(given).toEqual(record(1))
    expect(said).toEqual(['data'])
    reads.resume()
    expect(given).toEqual(Buffer.concat(Array.from({ length: 10 }, (_, i) => record(i))))
    const over = once(reads, 'close')
    reads.resume()
    await over
    expect(said).toEqual(['data', 'data', 'end', 'close'])
  })

  test('leave with the server what nobody takes', async () => {
    const { server, reads } = await connected()
    const sixteen = 16 * 1024 * 1024
    let [taken, sent] = [0, 0]
    reads.on('data', (bytes: Buffer) => {
      taken += bytes.length
      if (taken === bytes.length) reads.pause()
    })
    reads.resume()
    // More than the buffers of the system have room for.
    const all = Array.from({ length: 32 }, async () => {
      await new Promise<void>((resolve) => server.write(Buffer.alloc(sixteen / 8), () => resolve()))
      sent += sixteen / 8
    })
    const before = process.memoryUsage().arrayBuffers
    for (let seen = -1; seen !== sent;) {
      seen = sent
      await new Promise((resolve) => setTimeout(resolve, 200))
    }
    expect(sent).toBeLessThan(4 * sixteen)
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(sixteen)
    reads.resume()
    await Promise.all(all)
    await expect.poll(() => taken, { timeout: 60_000 }).toBe(4 * sixteen)
  })
})
