import { duration } from '../config/duration.ts'
import { UsageError } from './errors.ts'

/** How far back, as in `7d`: in milliseconds. */
export function age(text: string): number {
  const parsed = duration.safeParse(text)
  // Further back than time itself goes is no time.
  if (!parsed.success || parsed.data > Date.now())
    throw new UsageError(`--since ${text} is no time.`, 'Write a number and a unit: 12h or 7d.')
  return parsed.data
}
