import type { Owner, Subject } from '../../core/subject.ts'
import { either, type Condition, type Dimension } from './condition.ts'

/** A person by the name that their issuer gives them, or a group. */
export type NamedOwner = string | { readonly group: string }

/**
 * Who answers for the subject, in one sense or another. `null` from a subject that is no human
 * being means that nobody knows: closed, it may be anybody whom a hold or deny rule names. Behind a
 * person there is nobody.
 */
export function responsible(
  key: string,
  names: readonly NamedOwner[],
  of: (subject: Subject) => Owner | null,
): Condition {
  const dimension: Dimension = {
    name: key,
    keysOf({ action }) {
      const owner = of(action.subject)
      if (owner) return [inWords(owner)]
      return action.subject.kind === 'human' ? [] : null
    },
  }
  return {
    key,
    wants: either(names.map(inWords)),
    test({ action }) {
      const owner = of(action.subject)
      if (owner) return names.some((name) => isNamed(owner, name)) ? 'yes' : 'no'
      return action.subject.kind === 'human' ? 'no' : 'unknown'
    },
    found({ action }) {
      const owner = of(action.subject)
      return owner ? inWords(owner) : 'nobody that is known'
    },
    filings: [{ dimension, keys: names.map(inWords) }],
  }
}

function isNamed(owner: Owner, name: NamedOwner): boolean {
  if ('group' in owner) return typeof name !== 'string' && name.group === owner.group
  return name === owner.subject
}

function inWords(owner: Owner | NamedOwner): string {
  if (typeof owner === 'string') return owner
  return 'group' in owner ? `the group ${owner.group}` : owner.subject
}
