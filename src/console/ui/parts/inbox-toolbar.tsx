import { states as allStates } from '../../../approvals/machine.ts'
import type { InboxFilter } from '../state/inbox-filter.ts'
import { pageHref } from '../state/route.ts'
import { replacePlace } from '../state/use-route.ts'
import { states } from '../text/words.ts'
import { visible } from '../text/invisible.ts'
import { Choice } from './choice.tsx'
import { Filters } from './filters.tsx'
import { Icon } from './icon.tsx'

const risks = ['low', 'medium', 'high', 'critical']

interface InboxToolbarProps {
  filter: InboxFilter
  resources: readonly string[]
  /** How many wait for this person. */
  mine: number
}

/** What is looked for stands in the address, so that it can be kept and sent on. */
export function InboxToolbar({ filter, resources, mine }: InboxToolbarProps) {
  const set = (change: Partial<InboxFilter>) =>
    replacePlace(pageHref('inbox', { ...filter, ...change }))
  return (
    <form class="toolbar" role="search" onSubmit={(event) => event.preventDefault()}>
      <label class="search">
        <span class="sr">Search the inbox</span>
        <Icon of="search" />
        <input
          type="search"
          placeholder="Search"
          value={filter.q}
          onInput={(event) => set({ q: event.currentTarget.value })}
        />
      </label>
      <Filters
        active={[filter.mine, filter.risk, filter.resource, filter.state].filter(Boolean).length}
      >
        <label class="check">
          <input
            type="checkbox"
            checked={filter.mine !== ''}
            onChange={(event) => set({ mine: event.currentTarget.checked ? 'yes' : '' })}
          />
          Mine to decide <span class="fine">{mine}</span>
        </label>
        <Choice
          name="Risk"
          value={filter.risk}
          options={risks.map((risk) => [risk, `${risk} risk`])}
          choose={(risk) => set({ risk })}
        />
        <Choice
          name="Resource"
          value={filter.resource}
          options={resources.map((name) => [name, visible(name)])}
          choose={(resource) => set({ resource })}
        />
        <Choice
          name="State"
          value={filter.state}
          options={allStates.map((state) => [state, states[state].word])}
          choose={(state) => set({ state })}
        />
      </Filters>
    </form>
  )
}
