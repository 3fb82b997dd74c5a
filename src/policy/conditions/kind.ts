import type { SubjectKind } from '../../core/subject.ts'
import { either, type Condition, type Dimension } from './condition.ts'

const byKind: Dimension = { name: 'who.kind', keysOf: ({ action }) => [action.subject.kind] }

/** `who.kind`: what is acting now. A token that an agent presents for a person is an agent's. */
export function kind(kinds: readonly SubjectKind[]): Condition {
  return {
    key: 'who.kind',
    wants: either(kinds),
    test: ({ action }) => (kinds.includes(action.subject.kind) ? 'yes' : 'no'),
    found: ({ action }) => action.subject.kind,
    filings: [{ dimension: byKind, keys: kinds }],
  }
}
