import { useEffect, useState } from 'preact/hooks'

const listeners = new Set<(now: number) => void>()
let timer: ReturnType<typeof setInterval> | undefined

/**
 * One clock for the page: a thousand countdowns with timers of their own would be a thousand
 * wake-ups a second.
 */
function subscribe(listener: (now: number) => void): () => void {
  listeners.add(listener)
  timer ??= setInterval(() => {
    const now = Date.now()
    for (const each of listeners) each(now)
  }, 1_000)
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
}

/** The gateway's clock, in milliseconds since the epoch as of at most `everyMs` ago. */
export function useNow(skew: number, everyMs = 1_000): number {
  const [now, setNow] = useState(Date.now)
  useEffect(
    () => subscribe((time) => setNow((old) => (time - old < everyMs - 500 ? old : time))),
    [everyMs],
  )
  return now + skew
}
