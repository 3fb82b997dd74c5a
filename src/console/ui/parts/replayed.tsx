import type { ShownDifference, ShownExplanation, ShownReplaySummary } from '../api/types.ts'
import type { Replayed } from '../state/replayed.ts'
import { storyHref } from '../state/route.ts'
import { count } from '../text/count.ts'
import { logTime } from '../text/time.ts'
import { decisionInWords } from '../text/words.ts'
import { Data } from './data.tsx'
import { Explanation } from './explanation.tsx'
import { Notice } from './notice.tsx'

/** What a replay found: in sum, by rule, and each action with both explanations. */
export function ReplayedActions({
  replayed: { looked, differences, summary },
}: {
  replayed: Replayed
}) {
  if (!summary) return <p role="status">{count(looked, 'action')} looked at …</p>
  const hidden = summary.different - differences.length
  return (
    <div class="replayed">
      <Sum summary={summary} />
      {summary.changes.length > 0 && (
        <table class="replay-changes">
          <caption class="sr">By rule</caption>
          <tbody>
            {summary.changes.map(({ resource, from, to, rule, actions }) => (
              <tr>
                <td class="count">{actions.toLocaleString()}</td>
                <td>
                  <Verdict of={from} /> → <Verdict of={to} />
                </td>
                <td>
                  on <Data text={resource} />
                </td>
                <td>{rule === null ? 'no rule covers it' : <Data text={rule} />}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {differences.length > 0 && (
        <ul class="rules">
          {differences.map((difference) => (
            <Difference key={difference.action} difference={difference} />
          ))}
        </ul>
      )}
      {differences.length > 0 && hidden > 0 && (
        <p class="fine">
          And {count(hidden, 'more action')}: see them with sallyport policy replay.
        </p>
      )}
    </div>
  )
}

function Sum({ summary }: { summary: ShownReplaySummary }) {
  const { actions, same, different, erased, unrecorded, unreadable } = summary
  const others = summary.by_other_rules
  const title =
    different === 0
      ? 'Nothing would have been decided otherwise'
      : `${different.toLocaleString()} of ${count(actions, 'action')} would have been decided otherwise`
  return (
    <Notice tone={different === 0 ? 'good' : 'waiting'} title={title}>
      <p>
        {same.toLocaleString()} the same
        {others > 0 && `, ${others.toLocaleString()} of them by other rules`}.
        {erased > 0 && ` ${erased.toLocaleString()} cannot be replayed: who acted was erased.`}
        {unrecorded > 0 &&
          ` ${unrecorded.toLocaleString()} cannot be replayed: it depends on something that is not on record.`}
        {unreadable > 0 &&
          ` ${unreadable.toLocaleString()} cannot be replayed: somebody put something else into the log in their place.`}
      </p>
    </Notice>
  )
}

function Verdict({ of }: { of: ShownReplaySummary['changes'][number]['from'] }) {
  return <span class={`badge tone-${decisionInWords(of, true).tone}`}>{of}</span>
}

function Difference({ difference }: { difference: ShownDifference }) {
  const { time, action, resource, subject, summary, before, after } = difference
  return (
    <li>
      <details class="sheet">
        <summary>
          <Verdict of={before.verdict} /> → <Verdict of={after.decision.verdict} />{' '}
          <Data text={summary} limit={200} />{' '}
          <span class="fine">
            on <Data text={resource} limit={60} />
          </span>
        </summary>
        <p class="fine">
          <a href={storyHref('action', action)}>{logTime(time)}</a>, by{' '}
          <Data text={subject} limit={200} />
        </p>
        <div class="replay-both">
          <section>
            <h2>Was decided</h2>
            {before.explanation ? (
              <Short explanation={before.explanation} was />
            ) : (
              <p>
                <code>
                  <Data text={before.reason} />
                </code>
                {before.rules.length > 0 && (
                  <>
                    {' '}
                    by <Data text={before.rules.join(', ')} />
                  </>
                )}
              </p>
            )}
          </section>
          <section>
            <h2>Would be</h2>
            <Short explanation={after} />
          </section>
        </div>
      </details>
    </li>
  )
}

/**
 * The rules that decide, and not those that do not match: two explanations stand beside each other.
 */
function Short({ explanation, was = false }: { explanation: ShownExplanation; was?: boolean }) {
  const rules = explanation.rules.filter(({ matches }) => matches !== 'no')
  return <Explanation answer={{ ...explanation, rules }} was={was} />
}
