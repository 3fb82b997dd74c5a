import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { TlsEntrance } from '../../src/config/tls-entrance.ts'
import { Authority, openssl } from '../support/certificates.ts'

/** A listener that speaks in clear text until it is asked for TLS, by any byte; it says into TLS whom it takes its client for. */
async function listen(authority: Authority, more: object = {}) {
  const { cert, key } = authority.issue('server')
  const tls = { cert, key, client_ca: authority.file, min_version: 'TLSv1.2' as const, ...more }
  const entrance = new TlsEntrance(tls, { info() {}, error() {} }, 'test')
  const failed: number[] = []
  const server = createServer((raw) => {
    raw.on('error', () => raw.destroy())
    const port = raw.remotePort!
    raw.once('data', () => {
      raw.write('S')
      entrance.begin(raw).then(
        (socket) => {
          const { CN } = socket.getPeerCertificate().subject
          socket.end(`${port} ${String(CN)} ${socket.authorized}`)
        },
        () => failed.push(port),
      )
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return { port: (server.address() as AddressInfo).port, failed }
}

test.runIf(openssl)(
  'clients that agree on keys at once are each taken for who they are, whoever leaves',
  async () => {
    const authority = new Authority()
    const [ann, ben] = [
      authority.issue('ann', { subject: '/CN=ann' }),
      new Authority('Stranger').issue('ben', { subject: '/CN=ben' }),
    ]
    const { port, failed } = await listen(authority)
    const raws = await Promise.all(
      Array.from({ length: 30 }, async () => {
        const raw = connect(port, '127.0.0.1')
        raw.write('?')
        await once(raw, 'data')
        return raw
      }),
    )
    const answers = raws.map(async (raw, i) => {
      const own = i % 3 === 0 ? ann : ben
      const expected = `${raw.localPort} ${i % 3 === 0 ? 'ann true' : 'ben false'}`
      if (i % 3 === 2) {
        // In the middle of it, and in the middle of nothing.
        if (i % 2 === 0) raw.write(Buffer.from([0x16, 3, 1, 0, 200, 1, 0]))
        raw.destroy()
        return true
      }
      const [cert, key] = [readFileSync(own.cert), readFileSync(own.key)]
      const secure = connectTls({
        socket: raw,
        ca: authority.pem,
        cert,
        key,
        servername: 'localhost',
      })
      return (await text(secure)) === expected
    })
    expect(await Promise.all(answers)).not.toContain(false)
    await expect.poll(() => failed).toHaveLength(10)
  },
)
