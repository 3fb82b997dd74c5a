import { useCallback, useState } from 'preact/hooks'
import type { Approval } from '../api/types.ts'
import { count } from '../text/count.ts'
import { EndMark } from './end-mark.tsx'
import { PendingItem } from './items.tsx'

/** A thousand at once would keep a phone busy for seconds, and nobody looks at them at once. */
const atOnce = 100

/** What waits, what expires first on top. Goes on by itself where one comes near its end. */
export function WaitingList({ approvals, skew }: { approvals: readonly Approval[]; skew: number }) {
  const [room, setRoom] = useState(atOnce)
  const more = useCallback(() => setRoom((old) => old + atOnce), [])
  const hidden = approvals.length - room
  return (
    <>
      <ul class="waiting sheet">
        {approvals.slice(0, room).map((approval) => (
          <PendingItem key={approval.id} approval={approval} skew={skew} />
        ))}
      </ul>
      {hidden > 0 && (
        <p class="further">
          <EndMark key={room} onSeen={more} />
          <button type="button" class="plain" onClick={more}>
            {count(hidden, 'more', 'more')}, which expire later
          </button>
        </p>
      )}
    </>
  )
}
