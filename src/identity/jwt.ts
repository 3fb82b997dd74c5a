import { hash } from 'node:crypto'
import {
  decodeJwt,
  decodeProtectedHeader,
  jwtVerify,
  type CompactVerifyGetKey,
  type JWTPayload,
} from 'jose'
import type { Config, IssuerConfig } from '../config/schema.ts'
import type { Principal } from '../core/subject.ts'
import type { Log } from '../telemetry/log.ts'
import { badClaim, claim, type Claims } from './claims.ts'
import { issuerKeys } from './issuer-keys.ts'
import { refusalFrom } from './jose-errors.ts'
import { Refusal } from './refusal.ts'
import { subjectOfToken } from './token-subject.ts'

/** Characters. Node's limit for all headers together is of the same size. */
const longestToken = 16_384

export type VerifyJwt = (token: string) => Promise<Principal>

/**
 * Verifies tokens of the configured issuers (RFC 7519, with the rules of RFC 8725 and RFC 9068): a fixed list of algorithms, keys only from the
 * issuer itself, never from the token, audience and expiry mandatory. Rejects with a `Refusal`.
 */
export function createJwtVerifier(identity: Config['identity'], log: Log): VerifyJwt {
  const issuers = new Map(
    identity.issuers.map((config) => [
      config.issuer,
      { config, keys: issuerKeys(config.issuer, log) },
    ]),
  )
  return async (token) => {
    const issuer = issuers.get(claimedIssuer(token))
    if (!issuer) throw new Refusal('unknown-issuer')
    const { config, keys } = issuer
    const claims = await verifiedClaims(token, config, keys)
    refuseOtherTokens(claims)
    const subject = subjectOfToken(claims, config, identity.login)
    const mine = subject.kind === 'human' ? identity.login?.session : undefined
    return {
      subject,
      credential: {
        kind: 'jwt',
        id: tokenHash(token),
        expiresAt: endOf(claims, config.max_skew, mine),
      },
    }
  }
}

/** SHA-256 in hex: names a token without revealing it. */
export function tokenHash(token: string): string {
  return hash('sha256', token, 'hex')
}

/** Whose token this says it is: only decides whose keys have to prove it. */
function claimedIssuer(token: string): string {
  if (token.length > longestToken) throw new Refusal('malformed', { about: 'too long' })
  try {
    const { typ } = decodeProtectedHeader(token)
    if (!isAccessTokenType(typ)) throw new Refusal('not-an-access-token')
    const { iss } = decodeJwt(token)
    if (typeof iss === 'string') return iss
  } catch (cause) {
    throw cause instanceof Refusal ? cause : new Refusal('malformed', { cause })
  }
  throw badClaim('iss')
}

/** RFC 9068, §2.1, and the plain `JWT` or nothing of issuers that came before it. Not `logout+jwt`, `dpop+jwt`, `secevent+jwt` … */
function isAccessTokenType(typ: unknown): boolean {
  if (typ === undefined) return true
  if (typeof typ !== 'string') return false
  return ['jwt', 'at+jwt'].includes(typ.toLowerCase().replace(/^application\//, ''))
}

async function verifiedClaims(
  token: string,
  { issuer, audience, algorithms, max_skew }: IssuerConfig,
  keys: CompactVerifyGetKey,
): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, keys, {
      issuer,
      audience,
      algorithms,
      clockTolerance: max_skew / 1000,
      requiredClaims: ['exp', 'sub'],
    })
    return payload
  } catch (error) {
    throw refusalFrom(error)
  }
}

/** Tokens that were signed by the same keys for another purpose, and can be told by their claims. */
function refuseOtherTokens(claims: Claims): void {
  const idToken = ['nonce', 'at_hash', 'c_hash', 's_hash'].some(
    (name) => claim(claims, name) !== undefined,
  )
  const otherUse =
    claim(claims, 'token_use') === 'id' ||
    ['ID', 'Refresh', 'Logout'].includes(claim(claims, 'typ') as string)
  if (idToken || otherUse || claim(claims, 'events') !== undefined) {
    throw new Refusal('not-an-access-token')
  }
  // Its owner asked that nobody can use it without the key (RFC 7800). Not being able to check that is no reason to skip it.
  if (claim(claims, 'cnf') !== undefined) throw new Refusal('proof-required')
}

/** When the token is worth nothing any more, in milliseconds since the epoch, by a clock that may be off by `skew`. */
function endOf(claims: Claims, skew: number, session: number | undefined): number {
  const now = Date.now()
  const issued = instant(claims, 'iat')
  if (issued !== undefined && issued > now + skew) throw new Refusal('token-not-yet-valid')
  const expires = instant(claims, 'exp')
  if (expires === undefined) throw badClaim('exp')
  if (session === undefined) return expires + skew
  // What a person may do rests on the groups in the token, which get no older than a login does.
  if (issued === undefined) throw badClaim('iat')
  const end = Math.min(expires, issued + session) + skew
  if (end <= now) throw new Refusal('token-expired')
  return end
}

/** A NumericDate in milliseconds. `1e999` is one to JSON.parse and would never come. */
function instant(claims: Claims, name: string): number | undefined {
  const seconds = claim(claims, name)
  if (seconds === undefined) return undefined
  if (typeof seconds !== 'number' || !Number.isFinite(seconds) || Math.abs(seconds) > 8.64e12) {
    throw badClaim(name)
  }
  return Math.floor(seconds) * 1000
}
