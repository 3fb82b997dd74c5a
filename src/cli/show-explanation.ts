import { shortPath } from './short-path.ts'
import type { Explanation, RuleExplanation } from '../policy/explanation.ts'

/** Why a decision came out as it did, for a person. */
export function showExplanation({ decision, rules, change }: Explanation, folder: string): string {
  const { verdict, reason } = decision
  const because = decision.rules.length > 0 ? ` by ${decision.rules.join(', ')}` : ''
  const next = change.length > 0 ? ['to change that:', ...change.map((line) => `  ${line}`)] : []
  return [
    `${verdict}: ${reason}${because}`,
    ...rules.flatMap((rule) => showRule(rule, folder)),
    ...next,
  ].join('\n')
}

function showRule(
  { rule, then, file, line, matches, conditions }: RuleExplanation,
  folder: string,
): string[] {
  const head = `  ${matches === 'yes' ? '✓' : '✗'} ${rule} (${then}, ${shortPath(file, folder)}:${line})`
  const failed = matches === 'failed' ? ['      its condition could not be evaluated'] : []
  return [
    head,
    ...conditions.map(
      ({ key, satisfied, wants, found }) =>
        `      ${satisfied ? '✓' : '✗'} ${key}: wants ${wants}; is ${found}`,
    ),
    ...failed,
  ]
}
