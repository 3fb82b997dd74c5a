import type { Action } from '../core/action.ts'
import type { Outcome } from '../core/event.ts'
import { usageFactName } from '../core/usage-fact.ts'
import type { CompiledPolicies } from '../policy/compile.ts'
import { noFacts, type Facts } from '../policy/input.ts'
import type { Queryable } from '../store/db.ts'
import type { Running } from '../usage/under-way.ts'
import type { Attempt } from './attempt.ts'
import type { GateContext } from './context.ts'

/**
 * The attempt, with what the gate itself knows of its action: the data that it touches, and what
 * its subject did before, as far as these policies ask for it. Among the attributes, so that it is
 * on record what was decided by, and people are shown it. At once where nothing has to be counted;
 * else it is told in the turn in which it is decided, and begins: of those that are decided at the
 * same time, each counts those before it.
 */
export function withUsage<A extends Attempt>(
  { usage }: GateContext,
  attempt: A,
  policies: CompiledPolicies,
): A | Promise<() => A> {
  const action = usage.describe(attempt.action)
  const { usage: asked } = policies.needs(action.resource)
  if (asked.length === 0) return action === attempt.action ? attempt : { ...attempt, action }
  return usage.before(action, asked).then((counts) => () => {
    const attributes = { ...action.attributes, usage: counts() }
    return { ...attempt, action: { ...action, attributes } }
  })
}

/**
 * What its subject did until now, for looking at an action again. Rejects with `StoreError`:
 * closed, it does not run then.
 */
export async function usageNow(
  { usage }: GateContext,
  db: Queryable,
  action: Action,
  policies: CompiledPolicies,
): Promise<Facts> {
  const { usage: asked } = policies.needs(action.resource)
  return asked.length === 0 ? noFacts : { usage: await usage.within(db, action, asked) }
}

/**
 * What its action was decided by. A budget is about what begins; only what other policies ask for
 * is counted anew.
 */
export async function usageThen(
  ctx: GateContext,
  action: Action,
  policies: CompiledPolicies,
): Promise<Facts> {
  const known = action.attributes['usage'] ?? {}
  const { usage: asked } = policies.needs(action.resource)
  const missing = asked.filter((fact) => !(usageFactName(fact) in known))
  if (missing.length === 0) return noFacts
  const counts = await ctx.usage.before(action, missing)
  return { usage: { ...known, ...counts() } }
}

/**
 * Counts a run until its outcome. What `persist` makes durable is in the store from then on, and
 * counted there.
 */
export function counting(
  running: Running | null,
  persist: (outcome: Outcome) => Promise<void>,
): (outcome: Outcome) => Promise<void> {
  if (!running) return persist
  return async (outcome) => {
    running.ended(outcome)
    await persist(outcome)
    running.recorded()
  }
}
