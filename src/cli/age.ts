import { duration } from '../config/duration.ts'
import { UsageError } from './errors.ts'

/** Reads an age such as `7d`; in milliseconds. */
export function age(text: string): number {
  const parsed = duration.safeParse(text)
  // An age from before 1970 is a mistake.
  if (!parsed.success || parsed.data > Date.now())
    throw new UsageError(`--since ${text} is no time.`, 'Write a number and a unit: 12h or 7d.')
  return parsed.data
}
