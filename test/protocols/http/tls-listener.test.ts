import { once } from 'node:events'
import { execFile, spawnSync } from 'node:child_process'
import {
  copyFileSync,
  readFileSync,
  renameSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { promisify } from 'node:util'
import * as tls from 'node:tls'
import { Agent, fetch } from 'undici'
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { Authority, openssl, type CertificateFiles } from '../../support/certificates.ts'
import { ok } from '../../support/upstream.ts'
import { behind, problemIn, request, startGateway, statusOf, type Gateway } from './gateway.ts'

const curl = spawnSync('curl', ['--version']).status === 0
// Handshakes and files that are looked at from time to time: on a busy machine that takes a while.
const soon = { timeout: 60_000, interval: 50 }

describe.skipIf(!openssl)('agents over TLS (needs openssl)', () => {
  let authority: Authority
  let names = 0
  beforeAll(() => {
    authority = new Authority()
  })

  /** A gateway with a certificate of its own. */
  async function secured(
    more: { min_version?: 'TLSv1.3' } = {},
    script?: Parameters<typeof behind>[0],
  ) {
    const files = authority.issue(`gateway-${++names}`)
    const config = { min_version: 'TLSv1.2' as const, ...files, ...more }
    return { files, ...(await behind(script, {}, { tls: config })) }
  }

  const alice = { authorization: 'Bearer alice' }

  /** A client that keeps its connection, as SDKs do. */
  function agent(ca: string | undefined = authority.pem): Agent {
    const dispatcher = new Agent({ connect: { ca } })
    onTestFinished(() => dispatcher.close())
    return dispatcher
  }

  async function dial(
    { port }: Gateway,
    options: tls.ConnectionOptions = {},
  ): Promise<tls.TLSSocket> {
    const socket = tls.connect({ port, host: '127.0.0.1', ca: authority.pem, ...options })
    onTestFinished(() => void socket.destroy())
    await once(socket, 'secureConnect')
    return socket
  }

  /** Sends bytes as they are, and resolves with everything until the gateway ends the connection. */
  async function raw(gateway: Gateway, bytes: string): Promise<string> {
    const socket = await dial(gateway)
    let text = ''
    socket.on('data', (chunk) => (text += chunk.toString('latin1'))).on('error', () => undefined)
    socket.write(bytes, 'latin1')
    await once(socket, 'close')
    return text
  }

  /** The fingerprint of what a new connection gets. */
  async function presented(gateway: Gateway): Promise<string> {
    const socket = await dial(gateway)
    const { fingerprint256 } = socket.getPeerCertificate()
    socket.destroy()
    return fingerprint256
  }

  describe('an agent', () => {
    test('that knows the authority gets the upstream’s answer, with its body streamed both ways', async () => {
      const { upstream, gateway } = await secured({}, ({ body }) => ok(body))
      const body = 'x'.repeat(300_000)
      const response = await fetch(`${gateway.url}/crm/v1/notes`, {
        method: 'POST',
        headers: alice,
        body,
        dispatcher: agent(),
      })
      expect(response.status).toBe(200)
      expect(await response.text()).toBe(body)
      expect(upstream.requests[0]!.line).toBe('POST /v1/notes HTTP/1.1')
      expect(gateway.gate.attempts).toHaveLength(1)
    })

    test('that does not know it sends nothing', async () => {
      const { gateway } = await secured()
      const call = fetch(`${gateway.url}/crm/v1`, { headers: alice, dispatcher: agent('') })
      await expect(call).rejects.toMatchObject({
        cause: { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' },
      })
      expect(gateway.gate.attempts).toEqual([])
    })

    test.skipIf(!curl)('can be curl', async () => {
      const { gateway } = await secured()
      const words = ['-sS', '--cacert', authority.file, '-H', 'Authorization: Bearer alice']
      const { stdout } = await promisify(execFile)('curl', [...words, `${gateway.url}/crm/v1`])
      expect(stdout).toBe('ok')
    })

    test('that speaks http gets no answer that a stranger could have made, and its token no further', async () => {
      const { upstream, gateway } = await secured()
      expect(await gateway.raw(request('/crm/v1'))).toBe('')
      expect(gateway.gate.attempts).toEqual([])
      expect(upstream.connections).toEqual([])
    })
  })

  describe('versions and ciphers', () => {
    test('TLS 1.3 unless the client is older, TLS 1.2 at the least', async () => {
      const { gateway } = await secured()
      expect((await dial(gateway)).getProtocol()).toBe('TLSv1.3')
      expect((await dial(gateway, { maxVersion: 'TLSv1.2' })).getProtocol()).toBe('TLSv1.2')
      const old = {
        minVersion: 'TLSv1',
        maxVersion: 'TLSv1.1',
        ciphers: 'DEFAULT@SECLEVEL=0',
      } as const
      await expect(dial(gateway, old)).rejects.toMatchObject({
        code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
      })
    })

    test('min_version: TLSv1.3 refuses TLS 1.2', async () => {
      const { gateway } = await secured({ min_version: 'TLSv1.3' })
      expect((await dial(gateway)).getProtocol()).toBe('TLSv1.3')
      await expect(dial(gateway, { maxVersion: 'TLSv1.2' })).rejects.toMatchObject({
        code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
      })
    })

    test.for(['ECDHE-ECDSA-AES128-SHA256', 'ECDHE-ECDSA-AES256-SHA', 'AES128-GCM-SHA256'])(
      'refused, without forward secrecy or authenticated encryption: %s',
      async (ciphers) => {
        const { gateway } = await secured()
        await expect(dial(gateway, { maxVersion: 'TLSv1.2', ciphers })).rejects.toMatchObject({
          code: 'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE',
        })
      },
    )

    test('nobody renegotiates', async () => {
      const { gateway } = await secured()
      const socket = await dial(gateway, { maxVersion: 'TLSv1.2' })
      const error = await new Promise((resolve) => {
        socket.on('error', resolve)
        socket.renegotiate({}, resolve)
      })
      expect(error).toMatchObject({ code: 'ERR_SSL_NO_RENEGOTIATION' })
    })
  })

  describe('class 7: HTTP/2, CONNECT and upgrades around the policy', () => {
    test('the client chooses between the two versions, and who speaks neither is turned away', async () => {
      const { gateway } = await secured()
      const both = await dial(gateway, { ALPNProtocols: ['h2', 'http/1.1'] })
      expect(both.alpnProtocol).toBe('h2')
      const one = await dial(gateway, { ALPNProtocols: ['http/1.1'] })
      expect(one.alpnProtocol).toBe('http/1.1')
      await expect(dial(gateway, { ALPNProtocols: ['spdy/3'] })).rejects.toMatchObject({
        code: 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL',
      })
    })

    test.for([
      ['HTTP/2 without asking', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
      ['CONNECT', 'CONNECT 169.254.169.254:80 HTTP/1.1\r\nHost: gateway\r\n\r\n'],
      [
        'a WebSocket',
        request('/crm/v1', { headers: ['Connection: Upgrade', 'Upgrade: websocket'] }),
      ],
      [
        'class 5: two lengths',
        request('/crm/v1', { headers: ['Content-Length: 1', 'Content-Length: 2'], body: 'ab' }),
      ],
      [
        'class 5: a length, and chunks',
        request('/crm/v1', {
          headers: ['Content-Length: 5', 'Transfer-Encoding: chunked', 'Connection: close'],
          body: '0\r\n\r\n',
        }),
      ],
    ] as const)('%s: 400 with a problem', async ([, bytes]) => {
      const { upstream, gateway } = await secured()
      const answer = await raw(gateway, bytes)
      expect(statusOf(answer)).toBe(400)
      expect(problemIn(answer).type).toMatch(/\/(ambiguous|bad)-request$/)
      expect(upstream.connections).toEqual([])
    })
  })

  describe('when the files change', () => {
    /** As most tools do it: beside the old ones first, then in their place. */
    function replace(files: CertificateFiles, by: CertificateFiles): void {
      for (const which of ['cert', 'key'] as const) {
        copyFileSync(by[which], `${files[which]}.new`)
        renameSync(`${files[which]}.new`, files[which])
      }
    }

    test('new connections get the new certificate, and those that are there go on', async () => {
      const { upstream, gateway, files } = await secured({}, ({ line }) =>
        line.includes('/slow') ? () => undefined : ok('ok'),
      )
      const before = await presented(gateway)
      const kept = agent()
      const call = () => fetch(`${gateway.url}/crm/slow`, { headers: alice, dispatcher: kept })
      const slow = call()
      await upstream.received(1)

      replace(files, authority.issue('renewed'))
      await vi.waitFor(async () => expect(await presented(gateway)).not.toBe(before), soon)
      expect(gateway.logged.join('')).toContain('new connections get the changed certificate')
      upstream.sockets[0]!.write(ok('late'))
      expect(await (await slow).text()).toBe('late')
    })

    test('nobody goes on with the session of the old certificate', async () => {
      const { gateway, files } = await secured()
      const first = await dial(gateway, { maxVersion: 'TLSv1.2' })
      const session = first.getSession()!
      const again = await dial(gateway, { maxVersion: 'TLSv1.2', session })
      expect(again.isSessionReused()).toBe(true)

      const before = await presented(gateway)
      replace(files, authority.issue('renewed'))
      await vi.waitFor(async () => expect(await presented(gateway)).not.toBe(before), soon)
      const later = await dial(gateway, { maxVersion: 'TLSv1.2', session })
      expect(later.isSessionReused()).toBe(false)
    })

    test('the versions and ciphers stay what they were', async () => {
      const { gateway, files } = await secured({ min_version: 'TLSv1.3' })
      const before = await presented(gateway)
      replace(files, authority.issue('renewed'))
      await vi.waitFor(async () => expect(await presented(gateway)).not.toBe(before), soon)
      await expect(dial(gateway, { maxVersion: 'TLSv1.2' })).rejects.toThrow()
      expect((await dial(gateway, { ALPNProtocols: ['h2'] })).alpnProtocol).toBe('h2')
    })

    test('to something broken: the old certificate stays, the log says why, and no key', async () => {
      const { gateway, files } = await secured()
      const before = await presented(gateway)
      const other = authority.issue('other')
      const says = (text: string) =>
        vi.waitFor(() => expect(gateway.logged.join('')).toContain(text), soon)

      copyFileSync(other.cert, files.cert)
      await says('This key is not the one of the certificate')
      expect(await presented(gateway)).toBe(before)
      writeFileSync(files.cert, 'half of it')
      await says('There is no certificate in this file')
      expect(await presented(gateway)).toBe(before)
      unlinkSync(files.key)
      await says('The private key cannot be read (ENOENT)')
      expect(await presented(gateway)).toBe(before)

      replace(files, other)
      await vi.waitFor(async () => expect(await presented(gateway)).not.toBe(before), soon)
      const secret = readFileSync(other.key, 'utf8').split('\n')[1]!
      expect(gateway.logged.join('')).not.toContain(secret)
    })

    test('because a link leads elsewhere, as in a secret that Kubernetes mounts', async () => {
      const at = (name: string) => join(authority.folder, name)
      const [first, second] = [authority.issue('first'), authority.issue('second')]
      const link = { cert: at('live.pem'), key: at('live.key') }
      for (const which of ['cert', 'key'] as const) symlinkSync(first[which], link[which])
      const { gateway } = await behind(undefined, {}, { tls: { min_version: 'TLSv1.2', ...link } })
      const before = await presented(gateway)
      for (const which of ['cert', 'key'] as const) {
        symlinkSync(second[which], at('next'))
        renameSync(at('next'), link[which])
      }
      await vi.waitFor(async () => expect(await presented(gateway)).not.toBe(before), soon)
    })
  })

  test('a certificate that is not usable stops the start', async () => {
    const { cert } = authority.issue('here')
    const missing = { cert, key: '/nowhere.key', min_version: 'TLSv1.2' } as const
    await expect(
      startGateway([{ upstream: 'http://127.0.0.1:1' }], { tls: missing }),
    ).rejects.toThrow('The private key cannot be read (ENOENT)')
  })

  test('class 23: a client that says nothing does not keep the gateway from stopping', async () => {
    const files = authority.issue('stopping')
    const gateway = await startGateway([{ upstream: 'http://127.0.0.1:1' }], {
      tls: { min_version: 'TLSv1.2', ...files },
    })
    const silent = connect(gateway.port, '127.0.0.1')
    await once(silent, 'connect')
    // One that was accepted later is there, so the silent one is, too.
    const idle = await dial(gateway)
    const hungUp = [once(silent, 'close'), once(idle, 'close')]
    await gateway.close()
    await Promise.all(hungUp)
  })
})
