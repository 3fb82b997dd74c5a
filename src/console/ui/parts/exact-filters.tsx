import { exact, type ActivityFilter } from '../state/activity-filter.ts'
import { Data } from './data.tsx'

/** What is searched for by links alone, such as a trace: named, and taken away with one click. */
export function ExactFilters({
  filter,
  set,
}: {
  filter: ActivityFilter
  set: (change: Partial<ActivityFilter>) => void
}) {
  return (
    <>
      {exact
        .filter((name) => filter[name] !== '')
        .map((name) => (
          <button
            key={name}
            type="button"
            class="plain"
            title={`Whatever its ${name}`}
            onClick={() => set({ [name]: '' })}
          >
            {name} <Data text={shortened(filter[name])} /> ×
          </button>
        ))}
    </>
  )
}

function shortened(value: string): string {
  return value.length > 16 ? `${value.slice(0, 12)}…` : value
}
