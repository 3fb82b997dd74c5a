const second = 1_000
const minute = 60 * second
const hour = 60 * minute
const day = 24 * hour

const two = (n: number) => String(n).padStart(2, '0')

/**
 * Time that is left, in milliseconds, as a clock shows it: `4:32`, `1:02:03`, `2 d 4 h`. Rounded
 * up, so that 0:00 is over.
 */
export function countdown(left: number): string {
  if (left <= 0) return '0:00'
  const total = Math.ceil(left / second) * second
  const [days, hours, minutes, seconds] = [
    Math.floor(total / day),
    Math.floor((total % day) / hour),
    Math.floor((total % hour) / minute),
    Math.floor((total % minute) / second),
  ]
  if (days > 0) return `${days} d ${hours} h`
  return hours > 0 ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`
}

/** How long ago, in words; the exact time belongs beside it. */
export function ago(past: number): string {
  if (past < 45 * second) return 'just now'
  if (past < hour) return `${Math.max(1, Math.round(past / minute))} min ago`
  if (past < day) return `${Math.round(past / hour)} h ago`
  return `${Math.round(past / day)} d ago`
}

/**
 * Milliseconds by which the gateway's clock is ahead of this machine's, from an answer's `Date`
 * (RFC 9110 §6.6.1, whole seconds). Within two seconds they count as equal: then the header is less
 * exact than the clocks are.
 */
export function clockSkew(date: string | null, now: number): number {
  const server = date === null ? NaN : Date.parse(date) + second / 2
  const skew = server - now
  return Math.abs(skew) > 2 * second ? skew : 0
}

const logClock = {
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
  hourCycle: 'h23',
} as const

/** `01:08:46`, in this machine's time zone: in a log, seconds count, and half days confuse. */
export function clockTime(at: string): string {
  return new Date(at).toLocaleTimeString('en', logClock)
}

const calendarDay = { month: 'short', day: 'numeric' } as const

/** `Nov 22, 01:08:46`; with its year where that is not this one: a log is read in March, too. */
export function logTime(at: string, now = Date.now()): string {
  const date = new Date(at)
  const year = date.getFullYear() !== new Date(now).getFullYear() && ({ year: 'numeric' } as const)
  return date.toLocaleString('en', { ...calendarDay, ...year, ...logClock })
}

/** `Nov 22, 2026, 01:08:46 GMT+1`: for whoever compares it with what another machine says. */
export function fullTime(at: string): string {
  return new Date(at).toLocaleString('en', {
    ...calendarDay,
    year: 'numeric',
    ...logClock,
    timeZoneName: 'short',
  })
}

/** A span in milliseconds, as exactly as it is worth reading: `340 ms`, `4.2 s`, `3 min`, `2 h`. */
export function lasted(span: number): string {
  if (span < second) return `${Math.round(span)} ms`
  if (span < 90 * second) return `${(span / second).toFixed(1)} s`
  if (span < 90 * minute) return `${Math.round(span / minute)} min`
  return span < 2 * day ? `${Math.round(span / hour)} h` : `${Math.round(span / day)} d`
}
