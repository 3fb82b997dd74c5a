import type { ObservedReport } from './observed.ts'
import type { Stopped } from './tally.ts'
import { visible } from '../core/visible.ts'

const words = { deny: 'denied', hold: 'held' } as const

/**
 * What enforcing would have done, for a person: what it comes to, then by rule, the most frequent
 * first.
 */
export function showObserved({ from, denied, held, stopped }: ObservedReport): string {
  if (denied + held === 0) {
    return `Since ${from}, nothing ran that enforcing would have denied or held.`
  }
  const sum = `Since ${from}, enforcing would have denied ${denied} and held ${held} of the actions that ran.`
  return [sum, ...stopped.map(showStopped)].join('\n\n')
}

function showStopped({ resource, verdict, rule, reason, actions, subjects, ...it }: Stopped) {
  const by = rule === null ? 'no rule covers it' : `rule ${rule}`
  const head = `${actions} ${words[verdict]} on ${resource}: ${by} (${reason})`
  const width = Math.max(...it.examples.map((example) => String(example.actions).length))
  return [
    visible(head),
    `    by ${subjects} ${subjects === 1 ? 'subject' : 'subjects'}, the last at ${it.last}`,
    ...it.examples.map(
      (example) =>
        `    ${String(example.actions).padStart(width)} × ${visible(example.summary)}  (${visible(example.subject)}, action ${example.action})`,
    ),
  ].join('\n')
}
