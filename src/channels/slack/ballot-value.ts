import { z } from 'zod'
import { scopeSchema, type Scope } from '../../approvals/scope.ts'
import type { Story } from '../../gate/notices/story.ts'

/**
 * The value of a button: it identifies exactly what its message showed. Slack signs what is
 * clicked, and the vote is checked against both hashes.
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

/** `null` for anything that is not the value of one of our buttons. */
export function readBallot(text: unknown): BallotValue | null {
  if (typeof text !== 'string') return null
  try {
    return ballotValue.safeParse(JSON.parse(text)).data ?? null
  } catch {
    // Closed: it counts as no vote.
    return null
  }
}
