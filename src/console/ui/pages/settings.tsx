import '../style/settings.css'
import { useState } from 'preact/hooks'
import type { Me, ShownChannel } from '../api/types.ts'
import { ChannelHealth } from '../parts/channel-health.tsx'
import { ChatLinks } from '../parts/chat-links.tsx'
import { Data } from '../parts/data.tsx'
import {
  DeliveryHealth,
  UnreadableEvents,
  type ShownDelivery,
  type ShownUnreadable,
} from '../parts/delivery-health.tsx'
import { enableKeys, keysEnabled } from '../state/keys.ts'
import { useAnswer } from '../state/use-answer.ts'
import { fullTime } from '../text/time.ts'

function Keyboard() {
  const [on, setOn] = useState(keysEnabled)
  const change = (wanted: boolean) => {
    enableKeys(wanted)
    setOn(wanted)
  }
  return (
    <section class="sheet" aria-labelledby="keyboard">
      <h2 id="keyboard">Keyboard</h2>
      <label class="check">
        <input
          type="checkbox"
          checked={on}
          onChange={(event) => change(event.currentTarget.checked)}
        />
        Single-letter keys
      </label>
      <p class="fine">
        <kbd>?</kbd> lists them. Turn them off if they get in the way of speech input. No single key
        ever votes.
      </p>
    </section>
  )
}

/** Who one is here, and how news gets out. */
export function SettingsPage({ me }: { me: Me }) {
  const { person, roles, session } = me
  const channels = useAnswer<{ channels: readonly ShownChannel[] }>(
    roles.length > 0 ? '/api/channels' : null,
  )
  const reads = roles.includes('auditor') || roles.includes('admin')
  const deliveries = useAnswer<{
    deliveries: readonly ShownDelivery[]
    unreadable?: ShownUnreadable
  }>(reads ? '/api/audit/deliveries' : null)
  const facts: readonly (readonly [string, string])[] = [
    ['Name', person.name || person.subject],
    ['E-mail', person.email ?? 'none'],
    ['Subject', person.subject],
    ['Issuer', person.issuer],
    ['Groups', person.groups.join(', ') || 'none'],
    ['Roles', roles.join(', ') || 'none'],
  ]
  return (
    <>
      <div class="head">
        <h1 tabIndex={-1}>Settings</h1>
      </div>
      {deliveries.answer?.unreadable && <UnreadableEvents {...deliveries.answer.unreadable} />}
      <div class="settings-grid">
        <section class="sheet" aria-labelledby="you">
          <h2 id="you">You</h2>
          <dl>
            {facts.map(([name, value]) => (
              <>
                <dt>{name}</dt>
                <dd>
                  <Data text={value} />
                </dd>
              </>
            ))}
            {session && (
              <>
                <dt>Logged in</dt>
                <dd>until {fullTime(session.expires_at)}</dd>
              </>
            )}
          </dl>
          <p class="fine">
            This is what your identity provider says. In no role does anybody approve an action of
            their own, or of an agent of theirs.
          </p>
        </section>
        <Keyboard />
        <ChatLinks me={me} />
        {roles.length > 0 && <ChannelHealth {...channels} />}
        {reads && <DeliveryHealth {...deliveries} />}
      </div>
    </>
  )
}
