import type { Approval } from '../api/types.ts'
import { pageHref } from '../state/route.ts'
import { reasonInWords } from '../text/words.ts'
import { Data } from './data.tsx'

/** Which rules hold it, and what the agent says about it. */
export function Why({ approval: { rules, reason, agent_reason } }: { approval: Approval }) {
  const words = reasonInWords(reason)
  return (
    <section class="why" aria-labelledby="why">
      <h2 id="why">Why it is held</h2>
      <dl>
        <dt>{rules.length === 1 ? 'Rule' : 'Rules'}</dt>
        <dd>
          {rules.map((rule, i) => (
            <>
              {i > 0 && ', '}
              <code>
                <a href={pageHref('policies', { rule })}>
                  <Data text={rule} />
                </a>
              </code>
            </>
          ))}
        </dd>
        <dt>Reason</dt>
        <dd>
          <code>
            <Data text={reason} />
          </code>
          {words !== null && <span class="fine"> {words}</span>}
        </dd>
      </dl>
      {agent_reason === null ? (
        <p class="fine">The agent gives no reason of its own.</p>
      ) : (
        <figure class="claim">
          <figcaption>The agent says. This is its own claim; nobody has checked it.</figcaption>
          <blockquote>
            <Data text={agent_reason} />
          </blockquote>
        </figure>
      )}
    </section>
  )
}
