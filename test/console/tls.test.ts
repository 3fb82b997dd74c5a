import { once } from 'node:events'
import { copyFileSync } from 'node:fs'
import { connect } from 'node:net'
import * as tls from 'node:tls'
import { Agent, fetch } from 'undici'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { Authority, openssl, type CertificateFiles } from '../support/certificates.ts'
import { startControlPlane, type TestControlPlane } from '../support/control-plane.ts'

describe.skipIf(!openssl)('the control plane over TLS (needs openssl)', () => {
  let authority: Authority
  let files: CertificateFiles
  let plane: TestControlPlane
  let person: Agent

  beforeAll(async () => {
    authority = new Authority()
    files = authority.issue('control')
    plane = await startControlPlane({ tls: { ...files, min_version: 'TLSv1.2' } })
    person = new Agent({ connect: { ca: authority.pem } })
  })
  afterAll(async () => {
    await person.close()
    await plane.close()
  })

  const call = (path: string, dispatcher: Agent = person) =>
    fetch(`${plane.url}${path}`, { redirect: 'manual', dispatcher })

  test('a person comes with a token of their own', async () => {
    const response = await fetch(`${plane.url}/api/me`, {
      headers: { authorization: `Bearer ${await plane.idp.personToken('lena')}` },
      dispatcher: person,
    })
    expect(await response.json()).toMatchObject({ person: { subject: 'lena' } })
  })

  test('without a public_url, too, cookies are Secure, and of this very host', async () => {
    const response = await call('/login')
    const location = new URL(response.headers.get('location')!)
    expect(location.searchParams.get('redirect_uri')).toBe(`${plane.url}/login/callback`)
    const [line] = response.headers.getSetCookie()
    expect(line).toMatch(/^__Host-sallyport_login=.*; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
    expect(response.headers.get('strict-transport-security')).toBe('max-age=31536000')
  })

  test('who comes by http, or does not know the authority, gets nothing', async () => {
    const plain = fetch(`${plane.url.replace('https', 'http')}/healthz`)
    await expect(plain).rejects.toMatchObject({ cause: { code: 'UND_ERR_SOCKET' } })
    const stranger = new Agent()
    await expect(call('/healthz', stranger)).rejects.toMatchObject({
      cause: { code: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE' },
    })
    await stranger.close()
  })

  test('a changed certificate is taken without a restart; people stay connected', async () => {
    const presented = async () => {
      const port = Number(new URL(plane.url).port)
      const socket = tls.connect({ port, host: '127.0.0.1', ca: authority.pem })
      await once(socket, 'secureConnect')
      const { fingerprint256 } = socket.getPeerCertificate()
      socket.destroy()
      return fingerprint256
    }
    const before = await presented()
    const next = authority.issue('renewed')
    copyFileSync(next.cert, files.cert)
    copyFileSync(next.key, files.key)
    await vi.waitFor(async () => expect(await presented()).not.toBe(before), {
      timeout: 20_000,
      interval: 50,
    })
    expect((await call('/healthz')).status).toBe(200)
    expect(plane.logged.join('')).toContain('new connections get the changed certificate')
  })
  test('a client that says nothing does not keep it from stopping', async () => {
    const tlsFiles = { ...authority.issue('stopping'), min_version: 'TLSv1.2' } as const
    const another = await startControlPlane({ tls: tlsFiles })
    const silent = connect(Number(new URL(another.url).port), '127.0.0.1')
    await once(silent, 'connect')
    // What was accepted later is answered, so the silent one is there, too.
    expect((await fetch(`${another.url}/healthz`, { dispatcher: person })).status).toBe(200)
    const hungUp = once(silent, 'close')
    await another.close()
    await hungUp
  })
})
