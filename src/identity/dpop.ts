import { hash } from 'node:crypto'
import { calculateJwkThumbprint, EmbeddedJWK, jwtVerify, type JWTPayload } from 'jose'
import type { Queryable } from '../store/db.ts'
import type { DpopNonces } from './dpop-nonces.ts'
import { Refusal } from './refusal.ts'
import { useOnce } from './used-once.ts'

/** How a token came with a request, and the proof beside it (RFC 9449 §7.1). */
export interface DpopRequest {
  readonly scheme: 'bearer' | 'dpop'
  /** The `DPoP` header, or `null`. */
  readonly proof: string | null
  readonly method: string
  /** The URL of the request as its client sees it. Query and fragment do not count. */
  readonly url: string
}

const algorithms = ['ES256', 'ES384', 'ES512', 'EdDSA', 'PS256', 'RS256']

/** The challenge of an answer that asks for a proof (RFC 9449, §7.1 and §9). */
export function dpopChallenge(reason: string): string {
  const errors: Record<string, string> = {
    'proof-required': 'invalid_token',
    'proof-nonce': 'use_dpop_nonce',
  }
  const error = errors[reason] ?? 'invalid_dpop_proof'
  return `DPoP realm="sallyport", error="${error}", algs="${algorithms.join(' ')}"`
}

/** Milliseconds by which a proof may be old, and by which its clock may be ahead of ours. */
const oldest = 60_000
const ahead = 30_000
const longestProof = 8_192
const longestId = 256

/**
 * Checks that the sender of this request has the private key that the token is bound to, and made
 * this proof for this very request, a moment ago (RFC 9449 §4.3). Rejects with a `Refusal`. Closed:
 * rejects with a `StoreError` when we cannot tell whether the proof was used before.
 */
export async function checkProof(
  request: DpopRequest,
  { token, thumbprint, nonces }: { token: string; thumbprint: string; nonces: DpopNonces | null },
  db: Queryable,
): Promise<void> {
  const { scheme, proof, method, url } = request
  // A bound token must not come as `Bearer`, where a server might forget to look for the proof
  // (§7.2).
  if (scheme !== 'dpop' || proof === null) throw new Refusal('proof-required')
  if (proof.length > longestProof) throw invalid('too long')
  const { payload, jkt } = await verified(proof)
  const now = Date.now()
  if (jkt !== thumbprint) throw invalid('another key')
  if (payload['htm'] !== method) throw invalid('htm')
  if (!sameUrl(payload['htu'], url)) throw invalid('htu')
  if (payload['ath'] !== hash('sha256', token, 'base64url')) throw invalid('ath')
  const issued = typeof payload.iat === 'number' ? payload.iat * 1000 : NaN
  // Negated, so that NaN is refused.
  if (!(issued > now - oldest && issued < now + ahead)) throw invalid('iat')
  const { jti } = payload
  if (typeof jti !== 'string' || jti === '' || jti.length > longestId) throw invalid('jti')
  if (nonces && !nonces.accepts(payload['nonce'])) {
    throw new Refusal('proof-nonce', { nonce: nonces.current() })
  }
  // Last, so that only proofs that are otherwise good are stored.
  const forgotten = new Date(issued + oldest + ahead)
  if (!(await useOnce(db, ['dpop', jkt, jti], forgotten))) throw new Refusal('proof-replayed')
}

async function verified(proof: string): Promise<{ payload: JWTPayload; jkt: string }> {
  try {
    // EmbeddedJWK refuses what is not a public key.
    const { payload, protectedHeader } = await jwtVerify(proof, EmbeddedJWK, {
      typ: 'dpop+jwt',
      algorithms,
      // Proofs have no `exp` and `nbf`, but if they are there, they count.
      clockTolerance: ahead / 1000,
    })
    return { payload, jkt: await calculateJwkThumbprint(protectedHeader.jwk!, 'sha256') }
  } catch (cause) {
    throw new Refusal('proof-invalid', { about: 'signature or form', cause })
  }
}

/**
 * Compares URLs as RFC 9449 §4.3 demands: normalised by syntax and scheme (RFC 3986 §6.2.2 and
 * §6.2.3), without query and fragment.
 */
function sameUrl(said: unknown, url: string): boolean {
  if (typeof said !== 'string' || !URL.canParse(said) || !URL.canParse(url)) return false
  const bare = (text: string) => {
    const { protocol, host, pathname } = new URL(text)
    return `${protocol}//${host}${pathname}`
  }
  return bare(said) === bare(url)
}

function invalid(about: string): Refusal {
  return new Refusal('proof-invalid', { about })
}
