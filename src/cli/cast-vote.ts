import type { VoteDecision } from '../approvals/approval.ts'
import { connect } from './control-plane.ts'
import { Refusal } from './errors.ts'
import { jsonText } from './json-text.ts'
import { approvalSchema, showApproval } from './show-approval.ts'
import type { Terminal } from './terminal.ts'

export interface VoteOptions {
  readonly reason?: string
  /** Grants it for so many minutes, where the approval offers that; only once, if left out. */
  readonly minutes?: number
  /** Grants it until the agent's session ends, where the approval offers that. */
  readonly session?: boolean
  readonly yes?: boolean
  readonly json?: boolean
}

const questions: Readonly<Record<VoteDecision, string>> = {
  approve: 'Approve this?',
  deny: 'Deny this?',
  break_glass:
    'You alone release this, without the others whom its rules ask for. It is on record as an emergency.\nBreak the glass?',
}

/**
 * Shows an approval in full, asks, and votes on exactly what was shown: the vote contains its
 * digest and the hash of the view, and the gateway refuses it when either has changed since.
 */
export async function castVote(
  terminal: Terminal,
  id: string,
  decision: VoteDecision,
  { reason, minutes, session, yes, json }: VoteOptions,
): Promise<void> {
  const plane = await connect(terminal)
  const path = `/api/approvals/${encodeURIComponent(id)}`
  const approval = await plane.get(path, approvalSchema)
  terminal.note(showApproval(approval))
  if (!yes) {
    const answer = await terminal.ask(`\n${questions[decision]} (yes/no) `)
    // Only the whole word counts, so that a key pressed by accident cannot release anything.
    if (answer.trim().toLowerCase() !== 'yes') throw new Refusal('Nothing was decided.')
  }
  const { digest } = approval.action
  const scope = session ? { session } : minutes === undefined ? 'once' : { minutes }
  const vote = { decision, digest, view_hash: approval.view_hash, reason: reason ?? null }
  const after = await plane.post(
    `${path}/votes`,
    {
      ...vote,
      ...(decision === 'approve' && { scope }),
    },
    approvalSchema,
  )
  if (json) terminal.print(jsonText(after, 2))
  else terminal.note(`Your vote counts. The approval is ${after.state} now.`)
}
