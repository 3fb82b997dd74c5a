import type { ComponentChildren } from 'preact'
import { ago } from '../text/time.ts'
import { Data } from './data.tsx'

/** How long ago, in words. */
export const since = (at: string | null): string =>
  at === null ? 'never' : ago(Date.now() - Date.parse(at))

/**
 * One of those whom the gateway tells: how it is, in a word and in a line, and why it failed the
 * last time.
 */
export function Destination({
  name,
  well,
  state,
  failed,
  children,
}: {
  name: string
  well: boolean
  state: string
  failed: { readonly last_failure: string | null; readonly last_error: string | null }
  children: ComponentChildren
}) {
  return (
    <li>
      <p>
        <strong>
          <Data text={name} />
        </strong>{' '}
        <span class={`badge tone-${well ? 'good' : 'bad'}`}>{state}</span>
      </p>
      <p class="fine">{children}</p>
      {failed.last_error !== null && (
        <p class="fine">
          failed {since(failed.last_failure)}: <Data text={failed.last_error} limit={300} />
        </p>
      )}
    </li>
  )
}
