import { afterAll, beforeAll, expect, onTestFinished, test, vi } from 'vitest'
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
  // Both clocks that are read stand still, but for what is said here.
  vi.useFakeTimers({ toFake: ['Date', 'performance'] })
  onTestFinished(() => void vi.useRealTimers())
  const verify = verifier('jwt')
  const token = await idp.mint()
  const first = await verify(token)
  // An approval is used, and so it is asked again: of the same answer.
  await first.principal.credential.recheck!()
  vi.advanceTimersByTime(60_000)
  const second = await verify(token)
  expect(second.until).toBe(first.until)
})

test('class 12, a stolen token: one that is bound to a key is not taken for one that is not, although its issuer forgets to say to which', async () => {
  const verify = verifier('opaque')
  const claims = { sub: 'refund-bot', aud: 'sallyport', exp: Math.floor(Date.now() / 1000) + 300 }
  idp.vouch('plain', { ...claims, token_type: 'Bearer' })
  expect((await verify('plain')).principal.subject.subject).toBe('refund-bot')
  idp.vouch('bound', { ...claims, token_type: 'DPoP' })
  await expect(verify('bound')).rejects.toMatchObject({ reason: 'proof-required' })
})
