import type { Queryable } from '../store/db.ts'
import { claim, type Claims } from './claims.ts'
import type { ClientCertificate } from './client-certificate.ts'
import type { DpopNonces } from './dpop-nonces.ts'
import { checkProof, type DpopRequest } from './dpop.ts'
import { Refusal } from './refusal.ts'

/** What somebody presents besides a token. */
export interface Presented {
  readonly certificate: ClientCertificate | null
  /** `null` where the token did not come in an HTTP request. */
  readonly request: DpopRequest | null
}

export const nothingElse: Presented = { certificate: null, request: null }

/** The keys that the holder of a token must have; empty for a bearer token. */
export interface Confirmation {
  /** RFC 9449, §6.1. */
  readonly jkt?: string
  /** RFC 8705, §3.1. */
  readonly x5t?: string
}

const members = { jkt: 'jkt', 'x5t#S256': 'x5t' } as const

/**
 * Reads `cnf` (RFC 7800 §3.1). Closed: the token must not be usable without its key, so a
 * confirmation that cannot be checked is refused.
 */
export function confirmationOf(claims: Claims): Confirmation {
  const cnf = claim(claims, 'cnf')
  if (cnf === undefined) return {}
  const entries = typeof cnf === 'object' && cnf !== null ? Object.entries(cnf) : []
  const known = entries.every(
    ([name, value]) => Object.hasOwn(members, name) && typeof value === 'string',
  )
  if (entries.length === 0 || !known) throw new Refusal('proof-required', { about: 'cnf' })
  return Object.fromEntries(
    entries.map(([name, value]) => [members[name as keyof typeof members], value as string]),
  )
}

/**
 * Whether there is nothing to prove, and no proof that would belong to another token, so that the
 * answer can come at once.
 */
export function needsNoProof({ jkt, x5t }: Confirmation, { request }: Presented): boolean {
  return jkt === undefined && x5t === undefined && request?.scheme !== 'dpop'
}

/**
 * Checks that the presenter of the token has every key that it is bound to. Rejects with a
 * `Refusal`, or with a `StoreError`.
 */
export async function provePossession(
  token: string,
  { jkt, x5t }: Confirmation,
  { certificate, request }: Presented,
  { db, nonces }: { readonly db: Queryable; readonly nonces: DpopNonces | null },
): Promise<void> {
  // The certificate need not be signed by an authority of ours, because the key counts (RFC 8705
  // §3). Closed: a revoked one may be in the hands of others.
  if (x5t !== undefined && (certificate?.thumbprint !== x5t || certificate.revoked))
    throw new Refusal('proof-required', { about: 'client certificate' })
  if (jkt === undefined) {
    // A client that proves a key expects the token to be useless without it, which this one is not.
    if (request?.scheme === 'dpop') throw new Refusal('proof-invalid', { about: 'unbound token' })
    return
  }
  if (!request) throw new Refusal('proof-required')
  await checkProof(request, { token, thumbprint: jkt, nonces }, db)
}
