import type { ComponentChildren } from 'preact'
import type { Failure } from '../api/call.ts'
import { rememberPlace } from '../state/return-to.ts'
import { failures, type Tone } from '../text/words.ts'
import { Data } from './data.tsx'

export function Notice({
  tone,
  title,
  children,
}: {
  tone: Tone
  title: string
  children?: ComponentChildren
}) {
  return (
    <div
      class={`notice tone-${tone}`}
      role={tone === 'alarm' || tone === 'bad' ? 'alert' : 'status'}
    >
      <strong>{title}</strong>
      {children}
    </div>
  )
}

/**
 * A failure in plain words, with what to do; and the gateway's own words, which name names. `again`
 * does once more what has failed.
 */
export function FailureNotice({
  failure,
  again,
  children,
}: {
  failure: Failure
  again?: () => void
  children?: ComponentChildren
}) {
  const known = failures[failure.code]
  // Where the words here say all of it, the gateway's would only say it twice.
  const addsWords = !known || known.namesNames
  return (
    <Notice tone="bad" title={known?.title ?? 'That did not work'}>
      {known && <p>{known.advice}</p>}
      {addsWords && (
        <p class="fine">
          <Data text={failure.message} />
        </p>
      )}
      {failure.code === 'unauthenticated' ? (
        <a class="button" href="/login" onClick={rememberPlace}>
          Log in
        </a>
      ) : (
        again && (
          <button type="button" onClick={again}>
            Try again
          </button>
        )
      )}
      {children}
    </Notice>
  )
}
