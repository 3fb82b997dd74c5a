import { randomUUIDv7 } from 'node:crypto'

// Owned by eventId(): what the last id began with.
let milliseconds = 0
let counter = 0

/**
 * A UUIDv7 that sorts behind all that came before it in this process (RFC 9562 §6.2, method 1: a counter in `rand_a`). One transaction tells
 * several things within a millisecond, and they are linked and shown by time and id: in the order in which they happened.
 */
export function eventId(): string {
  const fresh = randomUUIDv7()
  const now = parseInt(fresh.slice(0, 8) + fresh.slice(9, 13), 16)
  if (now > milliseconds) {
    milliseconds = now
    // From the lower half, so that there is room to count.
    counter = parseInt(fresh.slice(15, 18), 16) >> 1
  } else if (++counter > 0xfff) {
    milliseconds += 1
    counter = 0
  }
  const time = milliseconds.toString(16).padStart(12, '0')
  const count = counter.toString(16).padStart(3, '0')
  return `${time.slice(0, 8)}-${time.slice(8)}-7${count}${fresh.slice(18)}`
}
