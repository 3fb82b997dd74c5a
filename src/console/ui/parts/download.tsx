import { approvalHref } from '../state/route.ts'
import type { Downloading } from '../state/use-download.ts'
import { states } from '../text/words.ts'
import { FailureNotice, Notice } from './notice.tsx'
import { Requirements } from './requirements.tsx'

/** Why a download is not there: what went wrong, or who has to approve it. */
export function DownloadNotice({ failure, held }: Downloading) {
  if (failure) return <FailureNotice failure={failure} />
  if (!held) return null
  const { word, tone } = states[held.state]
  const waits = held.state === 'pending' || held.state === 'approved'
  return (
    <Notice
      tone={tone}
      title={waits ? 'A rule holds this export' : `${word}: this export is not given out`}
    >
      {waits && (
        <p>
          It is saved here once people have approved it. If you leave this page, ask for it again
          later: it stays the same export.
        </p>
      )}
      <Requirements requirements={held.requirements} />
      <p>
        <a href={approvalHref(held.id)}>What they are shown</a>
      </p>
    </Notice>
  )
}
