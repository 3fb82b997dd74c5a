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
 * What the gate knows of the use of data: what an action touches, what its subject did before, and
 * what is under way here.
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
   * Tells what its subject did before, whenever it is called: it can be decided in the same turn as
   * it is told. What cannot be counted is unknown. Never rejects.
   */
  before({ subject }: Action, asked: readonly UsageFact[]): Promise<() => UsageFacts> {
    return this.#budgets.before(subject, asked)
  }

  /** The same in a transaction, as of now. Rejects with `StoreError`. */
  within(tx: Queryable, { subject }: Action, asked: readonly UsageFact[]): Promise<UsageFacts> {
    return this.#budgets.within(tx, subject, asked)
  }

  /**
   * What of its data its subject touches for the first time; `null` where that cannot be told.
   * Rejects with `StoreError`.
   */
  firstUses(tx: Queryable, action: Action): Promise<readonly string[] | null> {
    return firstUses(tx, action, this.#underWay)
  }

  /** It may run, and begins. `null` where it need not be told what becomes of it. */
  begin(action: Action): Running | null {
    return this.#underWay.begin(action)
  }
}
