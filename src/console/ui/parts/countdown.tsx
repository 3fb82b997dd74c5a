import { useNow } from '../state/use-now.ts'
import { countdown, fullTime } from '../text/time.ts'

/** Below this the end is near enough to say so in colour as well. */
const soonMs = 60_000

/** What is left until an approval expires, as a clock and as a bar. */
export function Countdown({ from, until, skew }: { from: string; until: string; skew: number }) {
  const now = useNow(skew)
  const end = Date.parse(until)
  const left = Math.max(0, end - now)
  const whole = Math.max(1, end - Date.parse(from))
  const words = left > 0 ? `${countdown(left)} left` : 'Time is up'
  return (
    <span class={left < soonMs ? 'countdown soon' : 'countdown'}>
      <time dateTime={until} title={`Expires ${fullTime(until)}`}>
        {words}
      </time>
      <progress aria-hidden="true" max={whole} value={left} />
    </span>
  )
}
