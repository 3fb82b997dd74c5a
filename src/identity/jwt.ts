import { hash } from 'node:crypto'
import {
  decodeJwt,
  decodeProtectedHeader,
  jwtVerify,
  type CompactVerifyGetKey,
  type JWTPayload,
} from 'jose'
import type { Config, IssuerConfig, LoginConfig } from '../config/schema.ts'
import type { Principal } from '../core/subject.ts'
import type { Log } from '../telemetry/log.ts'
import { badClaim, claim, type Claims } from './claims.ts'
import { credentialNames } from './credential-names.ts'
import { issuerKeys } from './issuer-keys.ts'
import { refusalFrom } from './jose-errors.ts'
import { confirmationOf, type Confirmation } from './possession.ts'
import { Refusal } from './refusal.ts'
import { subjectOfToken } from './token-subject.ts'

/** The most characters of a token. Node's limit for all headers together is the same. */
export const longestToken = 16_384

/** What a token proves, once its bearer has shown that they may use it. */
export interface VerifiedToken {
  readonly principal: Principal
  /** The keys that the token is bound to. */
  readonly confirmation: Confirmation
  /** Until when this can be believed without verifying again, in milliseconds since 1970. */
  readonly until: number
}

export type VerifyJwt = (token: string) => Promise<VerifiedToken>

/**
 * Milliseconds after which a valid token is verified again, because its issuer may have withdrawn
 * the key.
 */
const reverify = 5 * 60_000

/**
 * Verifies tokens of the configured issuers (RFC 7519, with the rules of RFC 8725 and RFC 9068): a
 * fixed list of algorithms, keys only from the issuer itself, never from the token, audience and
 * expiry mandatory. Rejects with a `Refusal`.
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
    return tokenOf(token, claims, { config, login: identity.login, kind: 'jwt' })
  }
}

/** Reads the trusted claims of a token. Throws a `Refusal`. */
export function tokenOf(
  token: string,
  claims: Claims,
  by: {
    readonly config: IssuerConfig
    readonly login: LoginConfig | undefined
    readonly kind: 'jwt' | 'opaque-token'
  },
): VerifiedToken {
  const { config, login, kind } = by
  refuseOtherTokens(claims)
  const confirmation = confirmationOf(claims)
  const subject = subjectOfToken(claims, config, login)
  const mine = subject.kind === 'human' ? login?.session : undefined
  const expiresAt = endOf(claims, config.max_skew, mine)
  const issuedAt = instant(claims, 'iat')
  const credential = {
    kind,
    id: tokenHash(token),
    ...(issuedAt !== undefined && { issuedAt }),
    expiresAt,
    names: credentialNames(subject),
  }
  const until = Math.min(expiresAt, Date.now() + reverify)
  return { principal: { subject, credential }, confirmation, until }
}

/** SHA-256 in hex, which identifies a token without revealing it. */
export function tokenHash(token: string): string {
  return hash('sha256', token, 'hex')
}

/** The issuer that a token claims, which only decides whose keys have to prove it. */
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

/**
 * Whether a `typ` is that of an access token (RFC 9068 §2.1), or `JWT` or absent, as with older
 * issuers. Not `logout+jwt`, `dpop+jwt`, `secevent+jwt` …
 */
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

/** Refuses tokens that the same keys signed for another purpose, which their claims show. */
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
}

/**
 * When the token expires, in milliseconds since 1970, by a clock that may be off by `skew`
 * milliseconds.
 */
function endOf(claims: Claims, skew: number, session: number | undefined): number {
  const now = Date.now()
  const issued = instant(claims, 'iat')
  if (issued !== undefined && issued > now + skew) throw new Refusal('token-not-yet-valid')
  const expires = instant(claims, 'exp')
  if (expires === undefined) throw badClaim('exp')
  if (expires + skew <= now) throw new Refusal('token-expired')
  const begins = instant(claims, 'nbf')
  if (begins !== undefined && begins > now + skew) throw new Refusal('token-not-yet-valid')
  if (session === undefined) return expires + skew
  // A person's rights rest on the groups in the token, which must not be older than a login may be.
  if (issued === undefined) throw badClaim('iat')
  const end = Math.min(expires, issued + session) + skew
  if (end <= now) throw new Refusal('token-expired')
  return end
}

/** A NumericDate in milliseconds. JSON.parse accepts `1e999`, which would never come. */
function instant(claims: Claims, name: string): number | undefined {
  const seconds = claim(claims, name)
  if (seconds === undefined) return undefined
  if (typeof seconds !== 'number' || !Number.isFinite(seconds) || Math.abs(seconds) > 8.64e12) {
    throw badClaim(name)
  }
  return Math.floor(seconds) * 1000
}
