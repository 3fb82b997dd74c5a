import { createHmac, timingSafeEqual } from 'node:crypto'

/** Milliseconds for which one nonce is given out, and for how many such turns it is good. */
const turn = 60_000
const turns = 5

/**
 * Nonces that proofs have to contain (RFC 9449 §9), which nobody who made proofs in advance could
 * have known.
 */
export interface DpopNonces {
  current(now?: number): string
  /** Whether any replica gave out this nonce within the last minutes. */
  accepts(nonce: unknown, now?: number): boolean
}

/**
 * All replicas derive the same nonces from the same key, and need not remember them. `key`: 32
 * bytes.
 */
export function dpopNonces(key: Buffer): DpopNonces {
  const of = (at: number) =>
    createHmac('sha256', key).update(`sallyport dpop nonce ${at}`).digest('base64url')
  return {
    current: (now = Date.now()) => of(Math.floor(now / turn)),
    accepts(nonce, now = Date.now()) {
      if (typeof nonce !== 'string') return false
      const at = Math.floor(now / turn)
      // One more turn, because the clock of the replica that gave it may be ahead.
      const good = Array.from({ length: turns + 1 }, (_, ago) => of(at + 1 - ago))
      return good.some((one) => same(one, nonce))
    },
  }
}

function same(a: string, b: string): boolean {
  const [one, other] = [Buffer.from(a), Buffer.from(b)]
  return one.length === other.length && timingSafeEqual(one, other)
}
