import type { ShownChannel } from '../api/types.ts'
import type { Asked } from '../state/use-answer.ts'
import { count } from '../text/count.ts'
import { Destination, since } from './destination.tsx'
import { FailureNotice } from './notice.tsx'

/** Down: the last thing that happened was a failure, or somebody waits for a message. */
const isDown = ({ waiting, last_success, last_failure }: ShownChannel) =>
  waiting > 0 || (last_failure !== null && (last_success === null || last_failure > last_success))

/** How the channels are that approvals are announced in. The console needs none of them. */
export function ChannelHealth({
  answer,
  failure,
  ask,
}: Asked<{ channels: readonly ShownChannel[] }>) {
  return (
    <section class="sheet" aria-labelledby="channels">
      <h2 id="channels">Channels</h2>
      {failure && <FailureNotice failure={failure} again={ask} />}
      {answer?.channels.length === 0 && (
        <p class="fine">Approvals are announced in this console alone: no channel is configured.</p>
      )}
      <ul class="lines">
        {answer?.channels.map((channel) => (
          <Destination
            name={channel.name}
            well={!isDown(channel)}
            state={isDown(channel) ? 'behind' : 'well'}
            failed={channel}
          >
            delivered {since(channel.last_success)}
            {channel.waiting > 0 &&
              ` · ${count(channel.waiting, 'message')} waiting, the oldest from ${since(channel.oldest)}`}
          </Destination>
        ))}
      </ul>
    </section>
  )
}
