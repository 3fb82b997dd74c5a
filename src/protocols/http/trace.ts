import { randomFillSync } from 'node:crypto'

/** Trace context of one action (W3C Trace Context, Level 1). */
export interface Trace {
  /** 32 hexadecimal digits: the caller's, where it sent one that is valid. */
  readonly id: string
  /** What the upstream gets: the same trace, with a span of the gateway's own. */
  readonly traceparent: string
  /** Whether it continues the caller's. */
  readonly continued: boolean
}

// §3.2.2. A version that is not known yet is read as far as version 00 goes (§4.3).
const traceparent =
  /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-([0-9a-f]{2})(?:-.*)?$/

/** Continues the caller's trace, or starts one, so that an upstream's own records can be matched with the audit log. */
export function continueTrace(incoming: string | null): Trace {
  const [, id, flags] = traceparent.exec(incoming ?? '') ?? []
  if (id === undefined || flags === undefined) {
    const fresh = randomHex(16)
    return { id: fresh, traceparent: `00-${fresh}-${randomHex(8)}-01`, continued: false }
  }
  // Of the flags, only `sampled` means something in version 00 (§3.2.2.5).
  const sampled = Number.parseInt(flags, 16) & 1
  return { id, traceparent: `00-${id}-${randomHex(8)}-0${sampled}`, continued: true }
}

// Randomness is fetched in blocks: a system call for each span costs more than everything else here.
const pool = Buffer.alloc(16_384)
let used = pool.length

function randomHex(bytes: number): string {
  if (used + bytes > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  used += bytes
  return pool.toString('hex', used - bytes, used)
}
