import type { Asked } from '../state/use-answer.ts'
import { count } from '../text/count.ts'
import { ago } from '../text/time.ts'
import { Data } from './data.tsx'
import { FailureNotice } from './notice.tsx'

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

const since = (at: string | null) => (at === null ? 'never' : ago(Date.now() - Date.parse(at)))

/** How the audit log gets to where it is delivered. Nothing is shown where it is delivered nowhere. */
export function DeliveryHealth({
  answer,
  failure,
  ask,
}: Asked<{ deliveries: readonly ShownDelivery[] }>) {
  if (!failure && !answer?.deliveries.length) return null
  return (
    <section class="sheet" aria-labelledby="deliveries">
      <h2 id="deliveries">Audit log, delivered</h2>
      {failure && (
        <FailureNotice failure={failure}>
          <button type="button" onClick={ask}>
            Try again
          </button>
        </FailureNotice>
      )}
      <ul class="lines">
        {answer?.deliveries.map(({ name, to, state, lag, ...last }) => (
          <li>
            <p>
              <strong>
                <Data text={name} />
              </strong>{' '}
              <span class={`badge tone-${state === 'failing' ? 'bad' : 'good'}`}>{state}</span>
            </p>
            <p class="fine">
              to <Data text={to} limit={200} /> · delivered {since(last.last_success)}
              {lag.events > 0 &&
                ` · ${count(lag.events, 'event')} not there yet, the first from ${since(lag.since)}`}
            </p>
            {last.last_error !== null && (
              <p class="fine">
                failed {since(last.last_failure)}: <Data text={last.last_error} limit={300} />
              </p>
            )}
          </li>
        ))}
      </ul>
    </section>
  )
}
