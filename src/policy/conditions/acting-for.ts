import { actingFor as personBehind } from '../../core/subject.ts'
import type { Condition } from './condition.ts'
import { responsible, type NamedOwner } from './responsible.ts'

/** `who.acting_for`: the person whose token an agent presents, else the agent's owner. */
export function actingFor(names: readonly NamedOwner[]): Condition {
  return responsible('who.acting_for', names, personBehind)
}
