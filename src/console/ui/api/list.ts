import { states } from '../../../approvals/machine.ts'
import { call } from './call.ts'
import type { Approval } from './types.ts'

interface Page {
  readonly approvals: readonly Approval[]
  /** Where the next page begins; `null` on the last. */
  readonly next: string | null
}

const decided = states.filter((state) => state !== 'pending').join(',')

/**
 * Everything that waits, and the latest page of what does not any more; with the gateway's clock.
 * Throws `Failure`.
 */
export async function listApprovals(): Promise<{ approvals: Approval[]; date: string | null }> {
  const [first, past] = await Promise.all([
    call<Page>('/api/approvals?state=pending'),
    call<Page>(`/api/approvals?state=${decided}`),
  ])
  const approvals = [...past.body.approvals, ...first.body.approvals]
  for (let { next } = first.body; next !== null;) {
    const { body } = await call<Page>(`/api/approvals?state=pending&before=${next}`)
    approvals.push(...body.approvals)
    next = body.next
  }
  return { approvals, date: first.date }
}
