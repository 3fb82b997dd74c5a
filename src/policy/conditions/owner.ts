import type { Condition } from './condition.ts'
import { responsible, type NamedOwner } from './responsible.ts'

/** `who.owner`: who owns the agent, by the owner claim, the delegation chain or its key. */
export function owner(names: readonly NamedOwner[]): Condition {
  return responsible('who.owner', names, (subject) => subject.owner)
}
