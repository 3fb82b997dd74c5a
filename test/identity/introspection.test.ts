import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTokenVerifier } from '../../src/identity/token.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { startTokenIssuer, type TokenIssuer } from '../support/token-issuer.ts'

let idp: TokenIssuer

beforeAll(async () => {
  idp = await startTokenIssuer()
})
afterAll(() => idp.close())

function verifier(tokens: 'jwt' | 'opaque') {
  const introspection = { tokens, client_id: 'sallyport', client_secret: 'x', cache: '2m' }
  const issuers = [{ issuer: idp.issuer, audience: 'sallyport', introspection }]
  return createTokenVerifier(idp.identity({ issuers }), createLog('silent'))
}

test('an answer gets no younger by being used again: a revoked token lives for one cache, and not for two', async () => {
  const verify = verifier('jwt')
  const token = await idp.mint()
  const first = await verify(token)
  // An approval is used, and so it is asked again: of the same answer.
  await first.principal.credential.recheck!()
  await sleep(200)
  const second = await verify(token)
  // Two clocks are read, so not to the millisecond.
  expect(second.until - first.until).toBeLessThan(100)
})

test('class 12, a stolen token: one that is bound to a key is not taken for one that is not, although its issuer forgets to say to which', async () => {
  const verify = verifier('opaque')
  const claims = { sub: 'refund-bot', aud: 'sallyport', exp: Math.floor(Date.now() / 1000) + 300 }
  idp.vouch('plain', { ...claims, token_type: 'Bearer' })
  expect((await verify('plain')).principal.subject.subject).toBe('refund-bot')
  idp.vouch('bound', { ...claims, token_type: 'DPoP' })
  await expect(verify('bound')).rejects.toMatchObject({ reason: 'proof-required' })
})
