import { createHmac, timingSafeEqual } from 'node:crypto'

/** Milliseconds for which one nonce is given, and how many of these it is good for. */
const turn = 60_000
const turns = 5

/**
 * Values that proofs have to contain (RFC 9449, §9): who has made proofs in advance, for a time to
 * come, cannot have known them.
 */
export interface DpopNonces {
  current(now?: number): string
  /** Whether it was given within the last minutes, by any replica. */
  accepts(nonce: unknown, now?: number): boolean
}

/**
 * All replicas make the same from the same key, and none of them has to remember any. `key`: 32
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
      // One more: the clock of the replica that gave it may be ahead.
      const good = Array.from({ length: turns + 1 }, (_, ago) => of(at + 1 - ago))
      return good.some((one) => same(one, nonce))
    },
  }
}

function same(a: string, b: string): boolean {
  const [one, other] = [Buffer.from(a), Buffer.from(b)]
  return one.length === other.length && timingSafeEqual(one, other)
}
