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
 * Adds to an attempt what the gate itself knows about its action: the data that it touches, and, as
 * far as these policies ask for it, what its subject did before. These become attributes, so that
 * they are on record and people see them. Returns at once where nothing has to be counted.
 * Otherwise the returned function has to be called in the turn in which the action is decided and
 * begins, so that of several decided at the same time each counts those before it.
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
 * What the subject of an action has done until now, for deciding about it again: to be called in the
 * turn in which that happens. Rejects with a `StoreError`. Closed: the action does not run then.
 */
export async function usageNow(
  { usage }: GateContext,
  db: Queryable,
  action: Action,
  policies: CompiledPolicies,
): Promise<() => Facts> {
  const { usage: asked } = policies.needs(action.resource)
  if (asked.length === 0) return () => noFacts
  const counts = await usage.within(db, action, asked)
  return () => ({ usage: counts() })
}

/**
 * The counts that a running action was decided by. Budgets limit what begins, so only facts that
 * newer policies ask for are counted now.
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
 * A run that is decided within a transaction. It counts from the turn in which it is decided, so
 * that of several that are released at the same time each counts those before it, although it is
 * not known yet whether the transaction will succeed.
 */
export class RunToBe {
  readonly #usage: GateContext['usage']
  readonly #action: Action
  // Owned by begin() and cameToNothing().
  #running: Running | null = null

  constructor({ usage }: GateContext, action: Action) {
    this.#usage = usage
    this.#action = action
  }

  begin(): void {
    this.#running = this.#usage.begin(this.#action)
  }

  /** It does not run, or is to be decided again. */
  cameToNothing(): void {
    this.#running?.cameToNothing()
    this.#running = null
  }

  /** The same as `counting`, for a run that was decided. */
  counting(persist: (outcome: Outcome) => Promise<void>): (outcome: Outcome) => Promise<void> {
    return counting(this.#running, persist)
  }
}

/** Counts a run as under way until its outcome is durable. From then on the store counts it. */
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
