import type { Caller } from '../core/caller.ts'
import type { Log } from '../telemetry/log.ts'
import type { Store } from '../store/db.ts'
import { Looks } from './looks.ts'
import {
  findOpenStandings,
  findStandings,
  type Found,
  type Standing,
  type Wanted,
} from './standing.ts'
import { settledOf } from './lists.ts'

/**
 * Milliseconds between two looks at the approvals that are waited for here. Usually a notification
 * comes first.
 */
const lookEvery = 1000

const approvalsChannel = 'sallyport_approvals'

/**
 * Where attempts wait for their approvals. A notification wakes them at once. Since notifications
 * are lost with their connection, every awaited approval is also looked at about once a second.
 * Waking up decides nothing: the waiter reads the approval itself.
 */
export class Holds {
  readonly #store: Store
  readonly #log: Log
  readonly #standings: Looks<string, Standing | null>
  readonly #open: Looks<Wanted, Found>
  // Owned by wait(): each waiter adds itself and removes itself again.
  readonly #waiters = new Map<string, Set<() => void>>()
  readonly #watchers = new Set<(id: string | null) => void>()
  // Owned by enter(): how many attempts each subject has here.
  readonly #held = new Map<string, number>()
  #timer: NodeJS.Timeout | undefined
  #looking = false
  #draining = false
  #stopListening: () => Promise<void> = async () => {}

  constructor(store: Store, log: Log) {
    this.#store = store
    this.#log = log
    this.#standings = new Looks((ids) => findStandings(store, ids))
    this.#open = new Looks((wanted) => findOpenStandings(store, wanted))
  }

  /** How an approval stands now; `null` if there is none. Rejects with a `StoreError`. */
  look(id: string): Promise<Standing | null> {
    return this.#standings.look(id, id)
  }

  /**
   * The approval that is open now for the same request, and whether there are grants. Rejects with
   * a `StoreError`, among others with one for which `isSuperseded` is true.
   */
  find(wanted: Wanted): Promise<Found> {
    // The digest covers everything in `wanted` but the generation.
    return this.#open.look(`${wanted.generation} ${wanted.digest}`, wanted)
  }

  async start(): Promise<void> {
    this.#stopListening = await this.#store.listen(approvalsChannel, (id) => this.#notified(id))
    this.#timer = setInterval(() => void this.#look(), lookEvery)
  }

  /** Whether nobody may wait here any more, because this replica is about to stop. */
  get draining(): boolean {
    return this.#draining
  }

  drain(): void {
    this.#draining = true
    for (const id of [...this.#waiters.keys()]) this.wake(id)
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer)
    await this.#stopListening()
  }

  /**
   * Counts an attempt of this subject in, and returns a function that counts it out; `null` when
   * the subject has `most` here already. Each attempt takes memory for its payload, and turns at
   * the database.
   */
  enter(subjectKey: string, most: number): (() => void) | null {
    const before = this.#held.get(subjectKey) ?? 0
    if (before >= most) return null
    this.#held.set(subjectKey, before + 1)
    return () => {
      const left = this.#held.get(subjectKey)! - 1
      if (left > 0) this.#held.set(subjectKey, left)
      else this.#held.delete(subjectKey)
    }
  }

  /** How many attempts wait on this replica. */
  get waiting(): number {
    return this.#waiters.values().reduce((sum, waiters) => sum + waiters.size, 0)
  }

  /**
   * Resolves when the approval may have changed, after `ms` milliseconds, or when the caller goes
   * away.
   */
  wait(id: string, ms: number, caller: Caller): Promise<void> {
    return new Promise((resolve) => {
      const waiters = this.#waiters.get(id) ?? new Set()
      this.#waiters.set(id, waiters)
      const done = () => {
        clearTimeout(timer)
        caller.removeEventListener('abort', done)
        waiters.delete(done)
        if (waiters.size === 0 && this.#waiters.get(id) === waiters) this.#waiters.delete(id)
        resolve()
      }
      const timer = setTimeout(done, ms)
      waiters.add(done)
      if (caller.aborted) done()
      else caller.addEventListener('abort', done)
    })
  }

  /**
   * Wakes whoever waits here, and tells the other replicas. Only a hint that may get lost: the look
   * each second finds the change anyway.
   */
  announce(id: string): void {
    this.#notified(id)
    this.#store.notify(approvalsChannel, id).catch((error: unknown) => {
      this.#log.warn(
        { err: error, approval: id },
        'other replicas were not notified; they will look',
      )
    })
  }

  /**
   * Calls back for every approval that changed, with `null` where any may have. Returns a function
   * that ends this.
   */
  watch(onChange: (id: string | null) => void): () => void {
    this.#watchers.add(onChange)
    return () => this.#watchers.delete(onChange)
  }

  wake(id: string): void {
    for (const done of [...(this.#waiters.get(id) ?? [])]) done()
  }

  #notified(id: string | null): void {
    if (id === null) void this.#look()
    else this.wake(id)
    for (const onChange of this.#watchers) onChange(id)
  }

  async #look(): Promise<void> {
    if (this.#looking || this.#waiters.size === 0) return
    this.#looking = true
    try {
      for (const id of await settledOf(this.#store, [...this.#waiters.keys()])) this.wake(id)
    } catch (error) {
      // Closed: whoever waits keeps waiting, and nothing runs.
      this.#log.warn({ err: error }, 'approvals could not be looked at; trying again')
    } finally {
      this.#looking = false
    }
  }
}
