import type { Dataset } from '../config/schema.ts'
import type { Action } from '../core/action.ts'
import type { UsageFact } from '../core/usage-fact.ts'
import type { Queryable } from '../store/db.ts'
import type { Log } from '../telemetry/log.ts'
import { Budgets, type UsageFacts } from './budgets.ts'
import { DataSets } from './data-sets.ts'
import { firstUses } from './first-use.ts'
import { UnderWay, type Running } from './under-way.ts'

/**
 * What the gate knows about the use of data: what an action touches, what its subject has done
 * before, and what is under way here.
 */
export class DataUsage {
  readonly #dataSets: DataSets
  readonly #underWay = new UnderWay()
  readonly #budgets: Budgets

  constructor(store: Queryable, datasets: readonly Dataset[], log: Log) {
    this.#dataSets = new DataSets(datasets)
    this.#budgets = new Budgets(store, this.#underWay, log)
  }

  /** The action, with the data that it touches. */
  describe(action: Action): Action {
    const data = this.#dataSets.touchedBy(action)
    return data ? { ...action, data } : action
  }

  /**
   * Resolves to a function that tells what the subject has done by the time it is called, so that
   * the action can be decided in the same turn. What cannot be counted is `Unknown`. Rejects only
   * for defects.
   */
  before({ subject }: Action, asked: readonly UsageFact[]): Promise<() => UsageFacts> {
    return this.#budgets.before(subject, asked)
  }

  /** The same within a transaction. Rejects with a `StoreError`. */
  within(
    tx: Queryable,
    { subject }: Action,
    asked: readonly UsageFact[],
  ): Promise<() => UsageFacts> {
    return this.#budgets.within(tx, subject, asked)
  }

  /**
   * The data that the subject touches for the first time with this action; `null` where that cannot
   * be told. Rejects with a `StoreError`.
   */
  firstUses(tx: Queryable, action: Action): Promise<readonly string[] | null> {
    return firstUses(tx, action, this.#underWay)
  }

  /** An action begins to run. Returns `null` where its outcome need not be counted. */
  begin(action: Action): Running | null {
    return this.#underWay.begin(action)
  }
}
