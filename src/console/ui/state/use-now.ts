import { useEffect, useState } from 'preact/hooks'

/** The gateway's clock, in milliseconds since the epoch, once a second. */
export function useNow(skew: number): number {
  const [now, setNow] = useState(Date.now)
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000)
    return () => clearInterval(timer)
  }, [])
  return now + skew
}
