import type { ActivityFilter } from '../state/activity-filter.ts'
import type { Facet } from '../state/facets.ts'
import { Data } from './data.tsx'

interface FacetsProps {
  facets: readonly Facet[]
  filter: ActivityFilter
  set: (change: Partial<ActivityFilter>) => void
}

/**
 * What to narrow down by, with how often it is in the events below: pressed once it narrows, again
 * it does not.
 */
export function Facets({ facets, filter, set }: FacetsProps) {
  return (
    <aside class="facets" aria-label="Narrow down">
      {facets
        .filter(({ values }) => values.length > 0)
        .map(({ name, title, values }) => (
          <section>
            <h2>{title}</h2>
            <ul>
              {values.map(({ value, times }) => (
                <li>
                  <button
                    type="button"
                    class="facet"
                    aria-pressed={filter[name] === value}
                    onClick={() => set({ [name]: filter[name] === value ? '' : value })}
                  >
                    <Data text={value} limit={40} />
                    <span class="fine">{times}</span>
                  </button>
                </li>
              ))}
            </ul>
          </section>
        ))}
    </aside>
  )
}
