import { z } from 'zod'

const units: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** `90s`, `15m`, `2h`; parsed to milliseconds. */
export const duration = z
  .string()
  .regex(/^\d+(ms|s|m|h|d)$/, 'Write a whole number and a unit: 500ms, 30s, 15m, 2h or 7d.')
  .transform((text) => {
    const [, count, unit] = /^(\d+)(\D+)$/.exec(text)!
    return Number(count) * units[unit!]!
  })

const sizes: Record<string, number> = { B: 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }

/** `64KiB`, `1MiB`; parsed to bytes. */
export const byteSize = z
  .string()
  .regex(/^\d+(B|KiB|MiB|GiB)$/, 'Write a whole number and a unit: 512B, 64KiB, 1MiB or 2GiB.')
  .transform((text) => {
    const [, count, unit] = /^(\d+)(\D+)$/.exec(text)!
    return Number(count) * sizes[unit!]!
  })
