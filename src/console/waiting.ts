import { z } from 'zod'
import type { Approval } from '../approvals/approval.ts'
import { instant } from './openapi.ts'

/**
 * The answer where a rule holds what was asked for: it is done when people have approved it, and
 * not before.
 */
export const waitingForPeople = z
  .object({ approval: z.uuid(), expires_at: instant })
  .describe('a rule holds it: it is done once this approval is given')

export function waiting({ id, expiresAt }: Approval): z.infer<typeof waitingForPeople> {
  return { approval: id, expires_at: expiresAt.toISOString() }
}
