import { z } from 'zod'

export const text = z.string().min(1)

/** One, or several in a list; always becomes a list. */
export function list<Item extends z.ZodType>(item: Item) {
  return z
    .union([item, z.array(item).min(1)])
    .transform((value) => (Array.isArray(value) ? value : [value]) as z.output<Item>[])
}

const units: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
const week = 7 * units.d!

/** `90s`, `15m`, `2h`, `7d`: becomes milliseconds. */
export const expiry = z
  .string()
  .regex(/^[1-9]\d*[smhd]$/, 'Write a whole number and a unit: 90s, 15m, 2h or 7d.')
  .transform((value) => Number(value.slice(0, -1)) * units[value.at(-1)!]!)
  .refine((ms) => ms <= week, { error: 'An approval waits for seven days at most.' })
