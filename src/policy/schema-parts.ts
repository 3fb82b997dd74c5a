import { z } from 'zod'

export const text = z.string('Write a text; put it in quotes if need be.').min(1, 'Write a text.')

/** One, or several in a list; always becomes a list. */
export function list<Item extends z.ZodType>(item: Item) {
  return z
    .union([item, z.array(item).min(1)], { error: reasonOf })
    .transform((value) => (Array.isArray(value) ? value : [value]) as z.output<Item>[])
}

/** What the alternative says that was meant: the list for a list, else the single one. */
function reasonOf({ input, errors }: z.core.$ZodRawIssue): string | undefined {
  const alternatives = Array.isArray(errors) ? (errors as z.core.$ZodIssue[][]) : []
  return alternatives[Array.isArray(input) ? 1 : 0]?.[0]?.message
}

const units: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const week = 7 * units.d!

/** `90s`, `15m`, `2h`, `7d`: becomes milliseconds. */
export const expiry = z
  .string()
  .regex(/^[1-9]\d*[smhd]$/, 'Write a whole number and a unit: 90s, 15m, 2h or 7d.')
  .transform((value) => Number(value.slice(0, -1)) * units[value.at(-1)!]!)
  .refine((ms) => ms <= week, { error: 'An approval waits for seven days at most.' })
