import { z } from 'zod'
import type { Difference, ReplaySummary } from '../gate/replay.ts'
import { visible } from '../core/visible.ts'
import { showExplanation } from './show-explanation.ts'

/** As far as it is read here; the rest is as the gateway of this version wrote it. */
export const replayLine = z.union([
  z.strictObject({ difference: z.custom<Difference>((it) => typeof it === 'object') }),
  z.strictObject({ progress: z.int() }),
  z.strictObject({ summary: z.custom<ReplaySummary>((it) => typeof it === 'object') }),
])

/**
 * One action that would have been decided otherwise, for a person: what was decided and why, and
 * what would be.
 */
export function showDifference(difference: Difference, folder: string): string {
  const { time, action, resource, subject, summary, before, after } = difference
  const { verdict, reason, rules, explanation } = before
  const by = rules.length > 0 ? ` by ${rules.join(', ')}` : ''
  const then = explanation ? showExplanation(explanation, folder) : `${verdict}: ${reason}${by}`
  return [
    visible(`${time}  ${resource}  ${summary}`),
    visible(`    ${verdict} → ${after.decision.verdict}  (${subject}, action ${action})`),
    indented('was', then),
    indented('now', showExplanation(after, folder)),
  ].join('\n')
}

function indented(head: string, text: string): string {
  const lines = text.split('\n').map((line) => visible(line))
  return `    ${head}  ${lines.join('\n         ')}`
}

/** What it comes to, then by rule, the most frequent first. */
export function showReplay(summary: ReplaySummary): string {
  const { actions, same, different, erased, unrecorded, unreadable } = summary
  const otherRules = summary.by_other_rules
  const lines = [
    `${actions} actions: ${different} would have been decided otherwise, ${same} the same${otherRules > 0 ? ` (${otherRules} of them by other rules)` : ''}.`,
    ...(erased > 0 ? [`${erased} cannot be replayed: their personal part was erased.`] : []),
    ...(unrecorded > 0
      ? [`${unrecorded} cannot be replayed: it depends on something that is not on record.`]
      : []),
    ...(unreadable > 0
      ? [
          `${unreadable} cannot be replayed: somebody put something else into the log in their place.`,
        ]
      : []),
    ...summary.changes.map(({ actions: count, resource, from, to, rule }) =>
      visible(`${count} × ${from} → ${to} on ${resource}: ${rule ?? 'no rule covers it'}`),
    ),
  ]
  return lines.join('\n')
}
