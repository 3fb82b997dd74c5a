import type { Asked } from '../state/use-answer.ts'
import { count } from '../text/count.ts'
import { Data } from './data.tsx'
import { Destination, since } from './destination.tsx'
import { FailureNotice, Notice } from './notice.tsx'

/** One of `GET /api/audit/deliveries`. */
export interface ShownDelivery {
  readonly name: string
  readonly to: string
  readonly state: 'failing' | 'delivering' | 'waiting' | 'current'
  readonly lag: { readonly events: number; readonly since: string | null }
  readonly last_success: string | null
  readonly last_failure: string | null
  readonly last_error: string | null
}

/** With the above: events in the log that are none. */
export interface ShownUnreadable {
  readonly events: number
  readonly newest: readonly string[]
}

/** Names events that somebody put something else in the place of. */
export function UnreadableEvents({ events, newest }: ShownUnreadable) {
  if (events === 0) return null
  return (
    <Notice tone="alarm" title={`${count(events, 'event')} of the audit log cannot be read`}>
      <p>
        Somebody with rights in the database put something else in their place. No usage counts
        them, and budgets that would have to count them deny. Export the log, and run{' '}
        <code>sallyport audit verify</code> on it.
      </p>
      <p class="fine">
        The newest: <Data text={newest.join(' ')} />
      </p>
    </Notice>
  )
}

/**
 * How the audit log gets to where it is delivered. Nothing is shown where it is delivered nowhere.
 */
export function DeliveryHealth({
  answer,
  failure,
  ask,
}: Asked<{ deliveries: readonly ShownDelivery[] }>) {
  if (!failure && !answer?.deliveries.length) return null
  return (
    <section class="sheet" aria-labelledby="deliveries">
      <h2 id="deliveries">Audit log, delivered</h2>
      {failure && <FailureNotice failure={failure} again={ask} />}
      <ul class="lines">
        {answer?.deliveries.map(({ name, to, state, lag, ...last }) => (
          <Destination name={name} well={state !== 'failing'} state={state} failed={last}>
            to <Data text={to} limit={200} /> · delivered {since(last.last_success)}
            {lag.events > 0 &&
              ` · ${count(lag.events, 'event')} not there yet, the first from ${since(lag.since)}`}
          </Destination>
        ))}
      </ul>
    </section>
  )
}
