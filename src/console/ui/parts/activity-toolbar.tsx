import type { ActivityFilter } from '../state/activity-filter.ts'
import { ranges, searchable } from '../state/activity-filter.ts'
import { eventInWords, eventTypes } from '../text/words.ts'
import { Choice } from './choice.tsx'
import { ExactFilters } from './exact-filters.tsx'
import { Filters } from './filters.tsx'
import { Icon } from './icon.tsx'

interface ActivityToolbarProps {
  filter: ActivityFilter
  set: (change: Partial<ActivityFilter>) => void
}

const decisions = ['allow', 'deny', 'hold'] as const

export function ActivityToolbar({ filter, set }: ActivityToolbarProps) {
  const names = [...searchable, 'since', 'from', 'to'] as const
  const active = names.filter((name) => filter[name] !== '')
  const nothing = Object.fromEntries(names.map((name) => [name, '']))
  const exact = filter.from !== '' || filter.to !== '' || filter.since === 'exact'
  const text = (name: 'subject' | 'resource' | 'reason' | 'rule', placeholder: string) => (
    <input
      class="word"
      aria-label={placeholder}
      placeholder={placeholder}
      value={filter[name]}
      onChange={(event) => set({ [name]: event.currentTarget.value })}
    />
  )
  const time = (name: 'from' | 'to', words: string) => (
    <label class="time">
      <span class="fine">{words}</span>
      <input
        type="datetime-local"
        value={filter[name]}
        onChange={(event) => set({ [name]: event.currentTarget.value })}
      />
    </label>
  )
  return (
    <form class="toolbar" role="search" onSubmit={(event) => event.preventDefault()}>
      <label class="search">
        <span class="sr">Words in the events</span>
        <Icon of="search" />
        <input
          type="search"
          placeholder="Words, paths, ids"
          value={filter.q}
          onInput={(event) => set({ q: event.currentTarget.value })}
        />
      </label>
      <Filters active={active.filter((name) => name !== 'q').length}>
        <Choice
          name="Time"
          value={exact ? 'exact' : filter.since}
          options={[
            ...Object.entries(ranges).map(([since, { name }]) => [since, name] as const),
            ['exact', 'from … to …'],
          ]}
          choose={(since) => set({ since, from: '', to: '' })}
        />
        {exact && time('from', 'from')}
        {exact && time('to', 'to')}
        <Choice
          name="Decision"
          value={filter.decision}
          options={decisions.map((decision) => [decision, decision])}
          choose={(decision) => set({ decision })}
        />
        <Choice
          name="Event"
          value={filter.type}
          options={eventTypes.map((type) => [type, `${eventInWords(type).title} (${type})`])}
          choose={(type) => set({ type })}
        />
        {text('subject', 'Subject')}
        {text('resource', 'Resource')}
        {text('reason', 'Reason code')}
        {text('rule', 'Rule')}
        <ExactFilters filter={filter} set={set} />
        {active.length > 0 && (
          <button type="button" class="plain" onClick={() => set(nothing)}>
            Clear
          </button>
        )}
      </Filters>
    </form>
  )
}
