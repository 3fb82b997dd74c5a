import { either, type Condition, type Dimension } from './condition.ts'

const byGroup: Dimension = { name: 'who.group', keysOf: ({ action }) => action.subject.groups }

/** `who.group`: the subject is in one of the groups. What other groups it is in does not matter. */
export function group(groups: readonly string[]): Condition {
  return {
    key: 'who.group',
    wants: either(groups),
    test: ({ action }) =>
      action.subject.groups.some((name) => groups.includes(name)) ? 'yes' : 'no',
    found: ({ action }) => action.subject.groups.join(', ') || 'no group',
    filings: [{ dimension: byGroup, keys: groups }],
  }
}
