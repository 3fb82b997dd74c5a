import type { ShownRequirement } from '../api/types.ts'
import { visible } from '../text/invisible.ts'
import { fullTime, logTime } from '../text/time.ts'
import { Data } from './data.tsx'

function From({ from }: { from: ShownRequirement['from'] }) {
  if ('group' in from) return <Data text={from.group} />
  return <Data text={from.people.map(({ subject }) => subject).join(', ')} />
}

/** Who has to agree, how many of them have, and what they said. */
export function Requirements({ requirements }: { requirements: readonly ShownRequirement[] }) {
  return (
    <ul class="requirements">
      {requirements.map(({ rule, from, quorum, votes }) => (
        <li>
          <p>
            <strong>
              {votes.filter(({ decision }) => decision === 'approve').length} of {quorum}
            </strong>{' '}
            from <From from={from} />
          </p>
          <p class="fine">
            asked by <Data text={rule} />
          </p>
          {votes.length > 0 && (
            <ul class="votes">
              {votes.map(({ issuer, subject, name, decision, reason, channel, at }) => (
                <li key={`${issuer} ${subject}`} class={decision}>
                  <span title={visible(`${issuer} ${subject}`)}>
                    <Data text={name} />
                  </span>{' '}
                  {decision === 'approve' ? 'approved' : 'denied'}{' '}
                  <span class="fine">
                    <time dateTime={at} title={fullTime(at)}>
                      {logTime(at)}
                    </time>{' '}
                    · {channel}
                  </span>
                  {reason !== null && (
                    <q>
                      <Data text={reason} />
                    </q>
                  )}
                </li>
              ))}
            </ul>
          )}
        </li>
      ))}
    </ul>
  )
}
