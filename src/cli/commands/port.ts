import { UsageError } from '../errors.ts'

/** Reads a port from the command line. Throws a `UsageError`. */
export function port(text: string): number {
  const number = Number(text)
  if (!/^\d+$/.test(text) || number > 65_535)
    throw new UsageError(
      `${text} is no port.`,
      'Write a number from 0 to 65535; 0 takes any free one.',
    )
  return number
}
