import { z } from 'zod'

const count = z.int().min(0)

/** What a record says about a month that is kept elsewhere (`Retention` in core/event.ts). */
export const retentionRecord = z.looseObject({
  month: z.string(),
  indexes: z.array(z.strictObject({ first: count, end: count })),
  exports: z.array(z.looseObject({ sha256: z.string() })),
})

export type RetentionRecord = z.output<typeof retentionRecord>
