import { useId, useState } from 'preact/hooks'
import { shortestReason } from '../../../approvals/break-glass.ts'
import type { ShownVote } from '../api/types.ts'
import { visible } from '../text/invisible.ts'
import { fullTime, logTime } from '../text/time.ts'
import { Data } from './data.tsx'
import { showNextUnshown } from './stretch.tsx'

interface BreakGlassProps {
  /** Whether the whole action has been on the screen. */
  complete: boolean
  sending: boolean
  release: (reason: string) => void
}

/**
 * For emergencies: releases it alone. Behind a door of its own, so that nobody takes it for the
 * ballot; and with a reason, or not at all.
 */
export function BreakGlass({ complete, sending, release }: BreakGlassProps) {
  const [reason, setReason] = useState('')
  const reasonId = useId()
  const missing = shortestReason - [...reason.trim()].length
  return (
    <details class="emergency">
      <summary>Emergency: release it alone</summary>
      <form onSubmit={(event) => event.preventDefault()}>
        <p>
          <strong>You alone answer for this.</strong> It runs, once, without the others whom its
          rules ask for. Your name and your reason go on record as an emergency, and everybody who
          sees this approval sees them.
        </p>
        <label for={reasonId}>
          What is the emergency?{' '}
          <span class="fine">
            {missing > 0 ? `(at least ${shortestReason} characters)` : '(on record)'}
          </span>
        </label>
        <textarea
          id={reasonId}
          rows={2}
          maxLength={2000}
          required
          value={reason}
          onInput={(event) => setReason(event.currentTarget.value)}
        />
        {!complete && (
          <div class="unshown">
            <p>This too takes having had the whole action on your screen.</p>
            <button type="button" onClick={showNextUnshown}>
              Show what is missing
            </button>
          </div>
        )}
        <button
          type="button"
          class="deny"
          disabled={!complete || sending || missing > 0}
          onClick={() => release(reason)}
        >
          Break the glass
        </button>
      </form>
    </details>
  )
}

/** Who did, and why. */
export function BrokenGlass({ vote }: { vote: ShownVote }) {
  const { issuer, subject, name, reason, channel, at } = vote
  return (
    <div class="notice tone-alarm">
      <strong>Released alone, in an emergency</strong>
      <p>
        <span title={visible(`${issuer} ${subject}`)}>
          <Data text={name} />
        </span>{' '}
        broke the glass{' '}
        <time dateTime={at} title={fullTime(at)}>
          {logTime(at)}
        </time>{' '}
        · {channel}:{' '}
        <q>
          <Data text={reason ?? ''} />
        </q>
      </p>
    </div>
  )
}
