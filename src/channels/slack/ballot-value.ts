import { z } from 'zod'
import { scopeSchema, type Scope } from '../../approvals/scope.ts'
import type { Story } from '../../gate/notices/story.ts'

/**
 * What a button carries: exactly what its message showed. Slack signs what is clicked, and the vote
 * is checked against both hashes.
 */
const ballotValue = z.strictObject({
  approval: z.uuid(),
  digest: z.string(),
  view: z.string(),
  scope: scopeSchema,
})

export type BallotValue = z.output<typeof ballotValue>

/** Far below the 2,000 characters that a button may carry. */
export function ballotOf({ id, digest, viewHash }: Story, scope: Scope): string {
  return JSON.stringify({ approval: id, digest, view: viewHash, scope } satisfies BallotValue)
}

/** `null` for anything that no button of ours carries. */
export function readBallot(text: unknown): BallotValue | null {
  if (typeof text !== 'string') return null
  try {
    return ballotValue.safeParse(JSON.parse(text)).data ?? null
  } catch {
    // Closed: nobody votes with it.
    return null
  }
}
