import type { ShownChannel } from '../api/types.ts'
import type { Asked } from '../state/use-answer.ts'
import { count } from '../text/count.ts'
import { ago } from '../text/time.ts'
import { Data } from './data.tsx'
import { FailureNotice } from './notice.tsx'

/** Down: the last thing that happened was a failure, or somebody waits for a message. */
const isDown = ({ waiting, last_success, last_failure }: ShownChannel) =>
  waiting > 0 || (last_failure !== null && (last_success === null || last_failure > last_success))

const since = (at: string | null) => (at === null ? 'never' : ago(Date.now() - Date.parse(at)))

/** How the channels are that approvals are announced in. The console needs none of them. */
export function ChannelHealth({
  answer,
  failure,
  ask,
}: Asked<{ channels: readonly ShownChannel[] }>) {
  return (
    <section class="sheet" aria-labelledby="channels">
      <h2 id="channels">Channels</h2>
      {failure && (
        <FailureNotice failure={failure}>
          <button type="button" onClick={ask}>
            Try again
          </button>
        </FailureNotice>
      )}
      {answer?.channels.length === 0 && (
        <p class="fine">Approvals are announced in this console alone: no channel is configured.</p>
      )}
      <ul class="lines">
        {answer?.channels.map((channel) => (
          <li>
            <p>
              <strong>
                <Data text={channel.name} />
              </strong>{' '}
              <span class={`badge tone-${isDown(channel) ? 'bad' : 'good'}`}>
                {isDown(channel) ? 'behind' : 'well'}
              </span>
            </p>
            <p class="fine">
              delivered {since(channel.last_success)}
              {channel.waiting > 0 &&
                ` · ${count(channel.waiting, 'message')} waiting, the oldest from ${since(channel.oldest)}`}
            </p>
            {channel.last_error !== null && (
              <p class="fine">
                failed {since(channel.last_failure)}: <Data text={channel.last_error} limit={300} />
              </p>
            )}
          </li>
        ))}
      </ul>
    </section>
  )
}
