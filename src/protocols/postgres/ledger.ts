import type { Run } from './run.ts'
import type { Uncommitted } from './uncommitted.ts'

interface Savepoint {
  readonly name: string
  /** How many runs were waiting when the savepoint was set. */
  readonly at: number
}

/**
 * Records what became of each run. A read ends with its statement. A write succeeds only when its
 * transaction commits, and fails when that is rolled back. If the answer to the COMMIT never comes,
 * the outcome is unknown.
 */
export class Ledger {
  readonly #uncommitted: Uncommitted
  // Owned by the methods below: writes whose statements have succeeded, in order.
  #waiting: Run[] = []
  #savepoints: Savepoint[] = []
  // Runs whose portal or cursor is still open, so that more rows may come.
  readonly #open = new Set<Run>()
  #failed = false

  constructor(uncommitted: Uncommitted) {
    this.#uncommitted = uncommitted
  }

  /** Whether one more write can be remembered until its transaction ends. */
  get hasRoom(): boolean {
    return this.#uncommitted.hasRoomFor(this.#waiting.length)
  }

  /** Its last statement has succeeded. */
  completed(run: Run): void {
    this.#open.delete(run)
    if (run.isRead) run.finish('succeeded')
    else this.#await(run)
  }

  /** It has a portal or a cursor, and may give rows or more of them. */
  opened(run: Run): void {
    this.#open.add(run)
  }

  /** Its portal or cursor has been closed by the client. */
  closed(run: Run): void {
    if (!this.#open.delete(run)) return
    if (run.isRead || !run.started) end(run)
    else this.#await(run)
  }

  /** `code`: the SQLSTATE, or another reason such as `skipped`. */
  failed(run: Run, code: string): void {
    this.#open.delete(run)
    this.#failed = true
    // What it has committed itself, before the error, stays.
    run.finish(run.committed ? 'unknown' : 'failed', code)
  }

  /** An error that belongs to no run still undoes what the transaction did before. */
  broken(): void {
    this.#failed = true
  }

  committed(current: Run | null): void {
    if (current) current.committed = true
    this.#closeWrites()
    this.#settle(this.#waiting, 'succeeded')
  }

  rolledBack(current: Run | null): void {
    if (current) current.rolledBack = true
    this.#closeWrites()
    this.#settle(this.#waiting, 'failed', 'rolled-back')
  }

  savepoint(name: string): void {
    this.#savepoints.push({ name, at: this.#waiting.length })
  }

  release(name: string): void {
    const at = this.#find(name)
    if (at >= 0) this.#savepoints.splice(at)
  }

  /**
   * ROLLBACK TO: the savepoint itself stays (SQL:2003, §16.5; PostgreSQL, "ROLLBACK TO SAVEPOINT").
   */
  rolledBackTo(name: string): void {
    const at = this.#find(name)
    if (at < 0) return
    const { at: since } = this.#savepoints[at]!
    this.#savepoints.splice(at + 1)
    const undone = this.#waiting.splice(since)
    this.#uncommitted.add(-undone.length)
    for (const run of undone) run.finish('failed', 'rolled-back')
  }

  /** PREPARE TRANSACTION: any session may commit it later, or roll it back. */
  handedOver(): void {
    this.#settle(this.#waiting, 'unknown', 'prepared-transaction')
  }

  /** ReadyForQuery. With status `I`, the transaction has ended by now, one way or the other. */
  ready(status: string): void {
    if (status === 'I') {
      this.#closeWrites()
      if (this.#failed) this.#settle(this.#waiting, 'failed', 'rolled-back')
      else this.#settle(this.#waiting, 'succeeded')
      for (const run of this.#open) end(run)
      this.#open.clear()
    }
    this.#failed = false
  }

  /**
   * The connection is gone. `committing`: whether the writes that had ended `before`, and whatever
   * runs `now`, may have been committed.
   */
  lost(
    running: readonly Run[],
    committing: { readonly before: boolean; readonly now: boolean },
  ): void {
    for (const run of [...running, ...this.#open]) {
      const isUnknown = committing.now && run.started && !run.isRead
      run.finish(isUnknown ? 'unknown' : 'failed', 'connection-lost')
    }
    this.#open.clear()
    this.#settle(this.#waiting, committing.before ? 'unknown' : 'failed', 'connection-lost')
  }

  /** A write whose rows were not all fetched is committed or rolled back with the rest. */
  #closeWrites(): void {
    for (const run of this.#open) if (run.started && !run.isRead) this.closed(run)
  }

  #await(run: Run): void {
    this.#waiting.push(run)
    this.#uncommitted.add(1)
  }

  #find(name: string): number {
    return this.#savepoints.findLastIndex((savepoint) => savepoint.name === name)
  }

  #settle(runs: readonly Run[], result: 'succeeded' | 'failed' | 'unknown', error?: string): void {
    this.#uncommitted.add(-runs.length)
    this.#waiting = []
    this.#savepoints = []
    for (const run of runs) {
      if (run.committed && run.rolledBack) run.finish('unknown', error)
      else if (run.rolledBack && result === 'succeeded') run.finish('failed', 'rolled-back')
      else if (run.committed && result === 'failed') run.finish('unknown', error)
      else run.finish(result, error)
    }
  }
}

/** A portal that was bound and never executed has not run. */
function end(run: Run): void {
  if (run.started) run.finish('succeeded')
  else run.finish('failed', 'not-executed')
}
