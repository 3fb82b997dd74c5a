import { afterEach, beforeEach, expect, test } from 'vitest'
import { jwtVerify } from 'jose'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { IssuerUnavailable, issuerKeys, type KeyTiming } from '../../src/identity/issuer-keys.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { startTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts'

const log = createLog('silent')
const usual: KeyTiming = { refresh: 300_000, stale: 3_600_000, retry: 0, coolDown: 0 }
let idp: TokenIssuer

beforeEach(async () => {
  idp = await startTokenIssuer()
})
afterEach(() => idp.close())

test('keys are fetched once, when first needed', async () => {
  const keys = issuerKeys(idp.issuer, log, usual)
  expect(idp.keyRequests).toBe(0)
  const token = await idp.mint()
  await Promise.all(Array.from({ length: 20 }, () => jwtVerify(token, keys)))
  expect(idp.keyRequests).toBe(1)
})

test('a key that the issuer has rotated to is picked up', async () => {
  const keys = issuerKeys(idp.issuer, log, usual)
  const old = await idp.mint()
  await jwtVerify(old, keys)
  await idp.rotate()
  await jwtVerify(await idp.mint(), keys)
  await jwtVerify(old, keys)
})

test('a key that the issuer has withdrawn is worth nothing once the keys are fetched anew', async () => {
  const keys = issuerKeys(idp.issuer, log, { ...usual, refresh: 0 })
  const old = await idp.mint()
  await jwtVerify(old, keys)
  await idp.rotate({ withdraw: true })
  await expect(jwtVerify(old, keys)).rejects.toMatchObject({ code: 'ERR_JWKS_NO_MATCHING_KEY' })
})

test('unknown keys do not make us ask the issuer each time', async () => {
  const keys = issuerKeys(idp.issuer, log, { ...usual, coolDown: 60_000 })
  await jwtVerify(await idp.mint(), keys)
  const forged = await idp.mint({}, { kid: 'nonsense' })
  for (let i = 0; i < 10; i += 1) await expect(jwtVerify(forged, keys)).rejects.toThrow()
  expect(idp.keyRequests).toBe(1)
})

test('an issuer that is down keeps the keys that it had', async () => {
  const keys = issuerKeys(idp.issuer, log, { ...usual, refresh: 0 })
  const token = await idp.mint()
  await jwtVerify(token, keys)
  idp.setDown(true)
  await jwtVerify(token, keys)
  await jwtVerify(token, keys)
})

test('… but not for ever', async () => {
  const keys = issuerKeys(idp.issuer, log, { ...usual, refresh: 0, stale: 0 })
  const token = await idp.mint()
  await jwtVerify(token, keys)
  idp.setDown(true)
  await expect(jwtVerify(token, keys)).rejects.toBeInstanceOf(IssuerUnavailable)
})

test('an issuer that is down at first is asked again later', async () => {
  const keys = issuerKeys(idp.issuer, log, usual)
  const token = await idp.mint()
  idp.setDown(true)
  await expect(jwtVerify(token, keys)).rejects.toBeInstanceOf(IssuerUnavailable)
  idp.setDown(false)
  await jwtVerify(token, keys)
})

test('a new key while the issuer is down is not accepted', async () => {
  const keys = issuerKeys(idp.issuer, log, usual)
  await jwtVerify(await idp.mint(), keys)
  await idp.rotate()
  idp.setDown(true)
  await expect(jwtVerify(await idp.mint(), keys)).rejects.toBeInstanceOf(IssuerUnavailable)
})

test.each([
  ['is for another issuer', { issuer: 'http://127.0.0.1:1', jwks_uri: 'http://127.0.0.1:1/jwks' }],
  ['names keys without TLS elsewhere', { jwks_uri: 'http://192.0.2.1/jwks' }],
  ['names no keys', {}],
  ['is no JSON object', 'hello'],
])('a discovery document that %s is refused', async (_, document) => {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json')
    const body = typeof document === 'string' ? document : { issuer: url, ...document }
    response.end(JSON.stringify(body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const keys = issuerKeys(url, log, usual)
  await expect(jwtVerify(await idp.mint(), keys)).rejects.toBeInstanceOf(IssuerUnavailable)
  server.close()
})

test('plain http is refused beyond this machine', async () => {
  const keys = issuerKeys('http://idp.example.com', log, usual)
  await expect(jwtVerify(await idp.mint(), keys)).rejects.toMatchObject({
    name: 'IssuerUnavailable',
    cause: { message: expect.stringMatching(/HTTPS|HTTP/) },
  })
})
