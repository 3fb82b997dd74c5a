import type { Config, IssuerConfig } from '../config/schema.ts'
import type { Log } from '../telemetry/log.ts'
import { claim, type Claims } from './claims.ts'
import { createIntrospection } from './introspection.ts'
import {
  createJwtVerifier,
  longestToken,
  tokenOf,
  type VerifiedToken,
  type VerifyJwt,
} from './jwt.ts'
import { Refusal } from './refusal.ts'

/**
 * Verifies tokens of the configured issuers: locally, by asking the issuer, or both, as the
 * configuration says. Rejects with a `Refusal`.
 */
export function createTokenVerifier(identity: Config['identity'], log: Log): VerifyJwt {
  const verifyJwt = createJwtVerifier(identity, log)
  const asked = identity.issuers.flatMap((config) =>
    config.introspection
      ? [
          {
            config,
            ...config.introspection,
            introspect: createIntrospection(config, config.introspection, log),
          },
        ]
      : [],
  )
  // There is never more than one, because a token must not be shown to an issuer that did not issue
  // it.
  const opaque = asked.find(({ tokens }) => tokens !== 'jwt')

  return async (token) => {
    // A signed token has three parts (RFC 7515, §3.1). Any other can be read by its issuer only.
    if (token.split('.').length !== 3) {
      if (!opaque || token.length > longestToken) throw new Refusal('malformed')
      const answer = await opaque.introspect(token)
      const claims = withSubject(answer.claims)
      refuseForeign(claims, opaque.config)
      const { config } = opaque
      const known = tokenOf(token, claims, { config, login: identity.login, kind: 'opaque-token' })
      return believed(known, answer.forMs, () => opaque.introspect(token))
    }
    const known = await verifyJwt(token)
    const { issuer, subject } = known.principal.subject
    const by = asked.find(({ config, tokens }) => config.issuer === issuer && tokens !== 'opaque')
    if (!by) return known
    const answer = await by.introspect(token)
    const sub = claim(answer.claims, 'sub')
    if (sub !== undefined && sub !== subject)
      throw new Refusal('introspection-failed', { about: 'sub' })
    return believed(known, answer.forMs, () => by.introspect(token))
  }
}

/**
 * For as long as the answer is, which may have been given before, and asked again when an approval
 * is used.
 */
function believed(
  known: VerifiedToken,
  forMs: number,
  recheck: () => Promise<unknown>,
): VerifiedToken {
  const { subject, credential } = known.principal
  const principal = { subject, credential: { ...credential, recheck } }
  return { ...known, principal, until: Math.min(known.until, Date.now() + forMs) }
}

/**
 * Adds the claim `sub`. Where nobody delegated, the client itself is the subject (RFC 9068, §2.2),
 * and some issuers then leave `sub` out.
 */
function withSubject(claims: Claims): Claims {
  const [sub, client] = [claim(claims, 'sub'), claim(claims, 'client_id')]
  return sub === undefined && client !== undefined ? { ...claims, sub: client } : claims
}

/**
 * Requires of the issuer's answer what the checks of a JWT establish otherwise: that this is an
 * access token, and meant for us.
 */
function refuseForeign(claims: Claims, { audience }: IssuerConfig): void {
  const aud = claim(claims, 'aud')
  const meant: unknown[] = Array.isArray(aud) ? aud : [aud]
  if (!meant.includes(audience)) throw new Refusal('wrong-audience')
  const type = claim(claims, 'token_type')
  if (type !== undefined && !(typeof type === 'string' && /^(bearer|dpop)$/i.test(type)))
    throw new Refusal('not-an-access-token')
  // Closed: the token is bound to a key, and the answer does not say to which (RFC 9449, §6.2).
  if (type?.toLowerCase() === 'dpop' && claim(claims, 'cnf') === undefined)
    throw new Refusal('proof-required', { about: 'cnf' })
}
