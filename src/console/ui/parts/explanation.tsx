import type { ShownExplanation } from '../api/types.ts'
import { pageHref } from '../state/route.ts'
import { decisionInWords, reasonInWords } from '../text/words.ts'
import { Data } from './data.tsx'

type Rule = ShownExplanation['rules'][number]

const verdicts = {
  allow: 'It would be allowed.',
  deny: 'It would be denied.',
  hold: 'It would be held until people approve it.',
} as const

const past = {
  allow: 'It was allowed.',
  deny: 'It was denied.',
  hold: 'It was held until people approve it.',
} as const

/** The answer in words: the verdict, what would change it, and every rule that had a say. */
export function Explanation({
  answer: { decision, rules, change },
  was = false,
}: {
  answer: ShownExplanation
  /** It has been decided, and not only asked. */
  was?: boolean
}) {
  const words = reasonInWords(decision.reason)
  const { tone } = decisionInWords(decision.verdict, true)
  return (
    <div class="explanation">
      <div class={`notice tone-${tone}`}>
        <strong>{(was ? past : verdicts)[decision.verdict]}</strong>
        <p>
          <code>
            <Data text={decision.reason} />
          </code>
          {words !== null && ` ${words}`}
        </p>
      </div>
      {change.length > 0 && (
        <section>
          <h2>What would have to be otherwise</h2>
          <ul class="change">
            {change.map((sentence) => (
              <li>
                <Data text={sentence} />
              </li>
            ))}
          </ul>
        </section>
      )}
      {rules.length > 0 && (
        <section>
          <h2>Rules about this resource</h2>
          <ul class="rules">
            {rules.map((rule) => (
              <RuleItem key={rule.rule} rule={rule} />
            ))}
          </ul>
        </section>
      )}
    </div>
  )
}

function RuleItem({ rule }: { rule: Rule }) {
  const { tone } = decisionInWords(rule.then, true)
  return (
    <li>
      <details class="sheet" open={rule.matches !== 'no'}>
        <summary>
          <span class={`badge tone-${tone}`}>{rule.then}</span>{' '}
          <strong>
            <Data text={rule.rule} />
          </strong>{' '}
          <span class="fine">{rule.matches === 'no' ? 'does not match' : 'matches'}</span>
        </summary>
        {rule.description !== null && (
          <p>
            <Data text={rule.description} />
          </p>
        )}
        <ul class="conditions">
          {rule.conditions.map(({ key, satisfied, wants, found }) => (
            <li class={satisfied ? 'met' : 'unmet'}>
              <span class="sr">{satisfied ? 'satisfied: ' : 'not satisfied: '}</span>
              <code>
                <Data text={key} />
              </code>{' '}
              wants <Data text={wants} />
              <span class="fine">
                {' '}
                · found <Data text={found} />
              </span>
            </li>
          ))}
        </ul>
        <p class="fine">
          <a href={pageHref('policies', { rule: rule.rule })}>
            <Data text={`${rule.file.split('/').at(-1)}:${rule.line}`} />
          </a>
        </p>
      </details>
    </li>
  )
}
