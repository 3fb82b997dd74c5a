import { randomUUIDv7 } from 'node:crypto'

/** A clock that goes back by more than this many milliseconds was set back, and ids follow it. */
const jitter = 1_000

// Owned by eventId(): what the last id began with, as a number and as text.
let last = 0
let counter = 0
let beginning = ''

export interface EventId {
  readonly id: string
  /** The time in it, in milliseconds since the epoch. */
  readonly time: number
}

/**
 * A UUIDv7 of this time that sorts behind all that came before it in this process (RFC 9562 §6.2, method 1: a counter in `rand_a`). One
 * transaction tells several things within a millisecond, and they are linked and shown by their ids: in the order in which they happened.
 */
export function eventId(now: number): EventId {
  const fresh = randomUUIDv7()
  if (now > last || last - now > jitter) {
    begin(now)
    // From the lower half, so that there is room to count.
    counter = parseInt(fresh.slice(15, 18), 16) >> 1
  } else if (++counter > 0xfff) {
    begin(last + 1)
    counter = 0
  }
  const count = counter.toString(16).padStart(3, '0')
  return { id: `${beginning}${count}${fresh.slice(18)}`, time: last }
}

function begin(milliseconds: number): void {
  last = milliseconds
  const time = milliseconds.toString(16).padStart(12, '0')
  beginning = `${time.slice(0, 8)}-${time.slice(8)}-7`
}

/** The least id of a time: everything before it has a lesser one, and nothing at or after it has. */
export function firstIdAt(time: Date): string {
  const milliseconds = Math.max(0, time.getTime()).toString(16).padStart(12, '0')
  return `${milliseconds.slice(0, 8)}-${milliseconds.slice(8)}-0000-0000-000000000000`
}

/** The time in the id of an event; `null` in one that is no UUIDv7 (RFC 9562 §5.7). */
export function timeOf(id: string): Date | null {
  const digits = id.replaceAll('-', '')
  return digits[12] === '7' ? new Date(parseInt(digits.slice(0, 12), 16)) : null
}
