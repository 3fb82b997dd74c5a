import type { Queryable } from '../store/db.ts'
import { claim, type Claims } from './claims.ts'
import type { ClientCertificate } from './client-certificate.ts'
import type { DpopNonces } from './dpop-nonces.ts'
import { checkProof, type DpopRequest } from './dpop.ts'
import { Refusal } from './refusal.ts'

/** What somebody shows besides a token. */
export interface Presented {
  readonly certificate: ClientCertificate | null
  /** `null` where the token did not come in an HTTP request. */
  readonly request: DpopRequest | null
}

export const nothingElse: Presented = { certificate: null, request: null }

/**
 * The keys that the holder of a token has to have; empty for a token that whoever bears it may use.
 */
export interface Confirmation {
  /** RFC 9449, §6.1. */
  readonly jkt?: string
  /** RFC 8705, §3.1. */
  readonly x5t?: string
}

const members = { jkt: 'jkt', 'x5t#S256': 'x5t' } as const

/**
 * Reads `cnf` (RFC 7800, §3.1). Its owner asked that nobody can use the token without the key: what
 * cannot be checked is refused. Closed.
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
 * Whether there is nothing to prove, and no proof that would be for another token: then the answer
 * can come at once.
 */
export function needsNoProof({ jkt, x5t }: Confirmation, { request }: Presented): boolean {
  return jkt === undefined && x5t === undefined && request?.scheme !== 'dpop'
}

/**
 * Makes sure that whoever presents the token has every key that it is bound to. Rejects with a
 * `Refusal`, or with `StoreError`.
 */
export async function provePossession(
  token: string,
  { jkt, x5t }: Confirmation,
  { certificate, request }: Presented,
  { db, nonces }: { readonly db: Queryable; readonly nonces: DpopNonces | null },
): Promise<void> {
  // Also one that no authority here signed: it is the key that counts (RFC 8705, §3). One that was
  // revoked may be in the hands of others. Closed.
  if (x5t !== undefined && (certificate?.thumbprint !== x5t || certificate.revoked))
    throw new Refusal('proof-required', { about: 'client certificate' })
  if (jkt === undefined) {
    // A client that proves its key expects that the token is worth nothing without it; this one is.
    if (request?.scheme === 'dpop') throw new Refusal('proof-invalid', { about: 'unbound token' })
    return
  }
  if (!request) throw new Refusal('proof-required')
  await checkProof(request, { token, thumbprint: jkt, nonces }, db)
}
