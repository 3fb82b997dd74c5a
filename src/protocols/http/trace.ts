import { randomFillSync } from 'node:crypto'

/** Trace context of one action (W3C Trace Context, Level 1). */
export interface Trace {
  /** 32 hexadecimal digits: the caller's, where it sent one that is valid. */
  readonly id: string
  /** The header that the upstream gets: the same trace, with a span of the gateway's own. */
  readonly traceparent: string
  /** The gateway's span: 16 hexadecimal digits. */
  readonly span: string
  /** The caller's span; `null` where the trace begins here. */
  readonly parent: string | null
  /** Whether it continues the caller's trace. */
  readonly continued: boolean
  /** Whether the caller records the trace. */
  readonly sampled: boolean
}

// §3.2.2. An unknown version is read as far as version 00 goes (§4.3).
const traceparent =
  /^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?$/

/**
 * Continues the caller's trace, or starts one, so that an upstream's own records can be matched
 * with the audit log.
 */
export function continueTrace(incoming: string | null): Trace {
  const [, id, parent, flags] = (incoming !== null && traceparent.exec(incoming)) || []
  if (id === undefined || parent === undefined || flags === undefined) {
    return traceOf(randomHex(16), null, true)
  }
  // In version 00, `sampled` is the only flag with a meaning (§3.2.2.5).
  return traceOf(id, parent, (Number.parseInt(flags, 16) & 1) === 1)
}

function traceOf(id: string, parent: string | null, sampled: boolean): Trace {
  const span = randomHex(8)
  const traceparent = traceparentFrom({ id, sampled }, span)
  return { id, traceparent, span, parent, continued: parent !== null, sampled }
}

/** The same trace, from another span on. */
export function traceparentFrom(
  { id, sampled }: Pick<Trace, 'id' | 'sampled'>,
  span: string,
): string {
  return `00-${id}-${span}-0${Number(sampled)}`
}

// Randomness is fetched in blocks, because a system call for each span costs more than everything
// else here.
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
