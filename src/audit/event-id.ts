import { randomFillSync } from 'node:crypto'

/**
 * A clock that goes back by more than so many milliseconds was set back, and ids go back with it.
 */
const jitter = 1_000

// Owned by eventId(): the time of the last id, as a number and as text.
let last = 0
let counter = 0
let beginning = ''

export interface EventId {
  readonly id: string
  /** The time in the id, in milliseconds since 1970. */
  readonly time: number
}

/**
 * A UUIDv7 of this time that sorts after all earlier ones of this process (RFC 9562 §6.2, method 1:
 * a counter in `rand_a`). One transaction may record several events within a millisecond, which are
 * linked and shown in the order of their ids, and so have to be in the order in which they
 * happened.
 */
export function eventId(now: number): EventId {
  if (used === digits.length) drawDigits()
  if (now > last || last - now > jitter) {
    begin(now)
    // Starts in the lower half, so that there is room to count.
    counter = parseInt(digits.slice(used, used + 3), 16) >> 1
  } else if (++counter > 0xfff) {
    begin(last + 1)
    counter = 0
  }
  const count = counter.toString(16).padStart(3, '0')
  const id = `${beginning}${count}-${digits.slice(used + 4, used + 8)}-${digits.slice(used + 8, used + 20)}`
  used += digitsOfOne
  return { id, time: last }
}

// Random digits are drawn for many ids at a time, because a draw for each costs more than the rest
// of it.
const digitsOfOne = 20
const pool = Buffer.allocUnsafeSlow((256 * digitsOfOne) / 2)
let digits = ''
let used = 0

/**
 * For each id, four digits to start counting from, and the sixteen that it ends with: the variant
 * (10 in binary) and 62 random bits.
 */
function drawDigits(): void {
  randomFillSync(pool)
  for (let at = 2; at < pool.length; at += digitsOfOne / 2) pool[at] = (pool[at]! & 0x3f) | 0x80
  digits = pool.toString('hex')
  used = 0
}

function begin(milliseconds: number): void {
  last = milliseconds
  const time = milliseconds.toString(16).padStart(12, '0')
  beginning = `${time.slice(0, 8)}-${time.slice(8)}-7`
}

/** The least id of a time: ids of earlier times are less, and no others. */
export function firstIdAt(time: Date): string {
  const milliseconds = Math.max(0, time.getTime()).toString(16).padStart(12, '0')
  return `${milliseconds.slice(0, 8)}-${milliseconds.slice(8)}-0000-0000-000000000000`
}

/** The time in the id of an event; `null` if it is no UUIDv7 (RFC 9562 §5.7). */
export function timeOf(id: string): Date | null {
  const digits = id.replaceAll('-', '')
  return digits[12] === '7' ? new Date(parseInt(digits.slice(0, 12), 16)) : null
}
