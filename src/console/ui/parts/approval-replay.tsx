import '../style/policies.css'
import { useEffect } from 'preact/hooks'
import type { Approval } from '../api/types.ts'
import { foldReplay, nothingReplayed, type Replayed } from '../state/replayed.ts'
import { useLines } from '../state/use-lines.ts'
import { FailureNotice } from './notice.tsx'
import { ReplayedActions } from './replayed.tsx'

/**
 * Beside a change of the policies: what it would have decided otherwise lately. Whoever is no
 * auditor is told how many, and not who did what.
 */
export function ApprovalReplay({ approval: { id } }: { approval: Approval }) {
  const { state, reading, failure, read } = useLines<Replayed>(nothingReplayed, foldReplay)
  const path = `/api/approvals/${id}/replay`
  useEffect(() => read(path), [path, read])
  return (
    <section class="replay-beside" aria-labelledby="replay">
      <h2 id="replay">Over the last 7 days</h2>
      {failure && (
        <FailureNotice failure={failure}>
          <button type="button" disabled={reading} onClick={() => read(path)}>
            Try again
          </button>
        </FailureNotice>
      )}
      {state && !failure && <ReplayedActions replayed={state} />}
    </section>
  )
}
