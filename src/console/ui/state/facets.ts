import type { AuditEvent } from '../api/types.ts'
import type { ActivityFilter } from './activity-filter.ts'

type FacetName = 'decision' | 'type' | 'subject' | 'resource' | 'reason'

export interface Facet {
  readonly name: FacetName
  readonly title: string
  /** The most frequent first. */
  readonly values: readonly { readonly value: string; readonly times: number }[]
}

const valuesShown = 6

const facets: readonly (readonly [FacetName, string, (event: AuditEvent) => string | undefined])[] =
  [
    ['decision', 'Decision', ({ decision }) => decision],
    ['subject', 'Subject', ({ subject }) => subject?.subject],
    ['resource', 'Resource', ({ resource }) => resource],
    ['reason', 'Reason', ({ reason }) => reason],
    ['type', 'Event', ({ type }) => type],
  ]

/**
 * What the events that are loaded have in common, to narrow them down by. What is chosen already is
 * there in any case.
 */
export function facetsOf(events: readonly AuditEvent[], filter: ActivityFilter): Facet[] {
  return facets.map(([name, title, of]) => {
    const times = new Map<string, number>()
    for (const event of events) {
      const value = of(event)
      if (value !== undefined) times.set(value, (times.get(value) ?? 0) + 1)
    }
    const chosen = filter[name]
    if (chosen !== '' && !times.has(chosen)) times.set(chosen, 0)
    const values = [...times]
      .map(([value, n]) => ({ value, times: n }))
      .toSorted(
        (a, b) => Number(b.value === chosen) - Number(a.value === chosen) || b.times - a.times,
      )
      .slice(0, valuesShown)
    return { name, title, values }
  })
}
