import { z } from 'zod'

/**
 * What the evidence looks at in a line of an export. Nearly everything is optional, because
 * malformed lines are the verifier's business.
 */
export const evidenceEvent = z.looseObject({
  id: z.string(),
  index: z.int().optional(),
  hash: z.string().optional(),
  time: z.string().default(''),
  type: z.string().default(''),
  resource: z.string().optional(),
  decision: z.string().optional(),
  enforced: z.boolean().optional(),
  reason: z.string().optional(),
  rules: z.array(z.string()).default([]),
  policy: z.string().optional(),
  approval: z.string().optional(),
  subject_kind: z.string().optional(),
  action: z.looseObject({ id: z.string() }).optional(),
  outcome: z.looseObject({ result: z.string() }).optional(),
  subject: z.looseObject({ issuer: z.string(), subject: z.string() }).optional(),
  details: z.looseObject({}).optional(),
})

export type EvidenceEvent = z.output<typeof evidenceEvent>
