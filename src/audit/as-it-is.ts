import { z } from 'zod'
import { toExported, whateverIsThere, type ExportedEvent } from './exported.ts'

const text = z.string()

/**
 * What whoever is shown an event relies on, of what is there: everything but these may be missing.
 * Details that cannot be read are in base64.
 */
const shown = z.looseObject({
  id: text,
  type: text.optional(),
  time: text.optional(),
  action: z.looseObject({ id: text, name: text }).optional(),
  approval: text.optional(),
  attributes: z.looseObject({}).optional(),
  decision: text.optional(),
  details: z.union([z.looseObject({}), text]).optional(),
  digest: text.optional(),
  effect: text.optional(),
  enforced: z.boolean().optional(),
  outcome: z.looseObject({ result: text }).optional(),
  policy: text.optional(),
  reason: text.optional(),
  resource: text.optional(),
  rules: z.array(text).optional(),
  source: z.looseObject({ replica: text }).optional(),
  span: z.looseObject({ id: text.optional(), parent: text.optional() }).optional(),
  subject: z
    .looseObject({ issuer: text, subject: text, kind: text, chain: z.array(z.looseObject({})) })
    .optional(),
  subject_kind: text.optional(),
  trace: text.optional(),
  usage: z.looseObject({ datasets: z.array(text).optional() }).optional(),
})

/**
 * `toExported`, for people and programs that look at single events: what somebody put in the place
 * of an event, be it JSON of another shape, is shown as what is there, in base64, beside all
 * others.
 */
export const asItIs = whateverIsThere((row): ExportedEvent => {
  const event = toExported(row)
  // An empty object, and a list, have nothing of another shape.
  const says = row.body === null || 'type' in event || isUnreadable(event)
  if (!says || event.id !== row.id || !shown.safeParse(event).success)
    throw new TypeError(`${row.id} is no event`)
  return event
})

/** Whether it is what somebody put in its place, in base64. */
export function isUnreadable(event: ExportedEvent): boolean {
  return typeof event['unreadable'] === 'string'
}
