import type { Approval, Me } from '../api/types.ts'
import { similarTo } from '../state/similar.ts'
import { approvalHref, pageHref } from '../state/route.ts'
import { useNow } from '../state/use-now.ts'
import type { Feed } from '../state/use-feed.ts'
import { count } from '../text/count.ts'
import { ago } from '../text/time.ts'
import { outcomeInWords } from '../text/words.ts'
import { StateBadge } from './badges.tsx'
import { Data } from './data.tsx'

const shown = 6

/**
 * What became of the same agent's other requests for the same resource: whether this one is like
 * what people have said yes to.
 */
export function Similar({ approval, me, feed }: { approval: Approval; me: Me; feed: Feed }) {
  const now = useNow(feed.skew, 20_000)
  const all = similarTo(approval, feed.approvals)
  const { subject, resource, digest } = approval.action
  return (
    <section class="similar" aria-labelledby="similar">
      <h2 id="similar">Others from this agent</h2>
      {all.length === 0 ? (
        <p class="fine">
          Among the latest approvals there is no other from this agent for this resource.
        </p>
      ) : (
        <ul class="sheet">
          {all.slice(0, shown).map((it) => (
            <li>
              <StateBadge state={it.state} />
              <a href={approvalHref(it.id)}>
                <Data text={it.action.summary} limit={100} />
              </a>
              {it.action.digest === digest && <span class="badge tone-waiting">identical</span>}
              <span class="fine">
                {it.outcome && `${outcomeInWords(it.outcome)} · `}
                {ago(now - Date.parse(it.resolved_at ?? it.created_at))}
              </span>
            </li>
          ))}
        </ul>
      )}
      {(all.length > shown || me.roles.includes('auditor')) && (
        <p class="fine">
          {all.length > shown && `${count(all.length - shown, 'more', 'more')} of the latest. `}
          {me.roles.includes('auditor') && (
            <a href={pageHref('activity', { subject: subject.subject, resource })}>
              All that it did there
            </a>
          )}
        </p>
      )}
    </section>
  )
}
