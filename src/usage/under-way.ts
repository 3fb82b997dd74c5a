import type { Action } from '../core/action.ts'
import type { TouchedData } from '../core/data-use.ts'
import type { Outcome } from '../core/event.ts'
import type { Subject } from '../core/subject.ts'

/** A run on this replica, as far as it has come. */
export interface OwnRun extends Pick<TouchedData, 'datasets' | 'classes' | 'tables'> {
  readonly action: string
  readonly resource: string
  /** Whether anything came of it, or still may. */
  readonly ran: boolean
  readonly rows: number
  readonly bytes: number
  readonly tokens: number
}

interface Entry {
  readonly who: string
  run: OwnRun
  /** When its outcome became durable, on the monotonic clock; `Infinity` until then. */
  durableAt: number
}

/**
 * Milliseconds for which a run is remembered once its outcome is durable: longer than any look into
 * the store that began earlier can take.
 */
const remembered = 15_000

/** Runs of this replica whose outcomes are not on record yet, so that nobody else knows of them. */
export class UnderWay {
  readonly #bySubject = new Map<string, Set<Entry>>()
  // Entries whose outcome is durable, in that order.
  readonly #durable = new Set<Entry>()

  /** A run begins. Returns `null` if it touches no data set, since nothing counts it then. */
  begin({ id, subject, resource, data }: Action): Running | null {
    if (!data || data.datasets.length === 0) return null
    const { datasets, classes, tables } = data
    const begun = { ran: true, rows: 0, bytes: 0, tokens: 0 }
    const run = { action: id, resource, datasets, classes, tables, ...begun }
    const entry: Entry = { who: whoOf(subject), run, durableAt: Infinity }
    const others = this.#bySubject.get(entry.who)
    if (others) others.add(entry)
    else this.#bySubject.set(entry.who, new Set([entry]))
    return {
      ended: (outcome) => (entry.run = { ...run, ...amountsOf(outcome) }),
      recorded: () => {
        entry.durableAt = performance.now()
        this.#durable.add(entry)
        this.#forgetOld(entry.durableAt - remembered)
      },
      cameToNothing: () => this.#forget(entry),
    }
  }

  /**
   * The runs of a subject that a look into the store which began at `since` (monotonic clock) may
   * have missed.
   */
  of(subject: Subject, since: number): readonly OwnRun[] {
    const entries = [...(this.#bySubject.get(whoOf(subject)) ?? [])]
    return entries.filter(({ durableAt }) => durableAt >= since).map(({ run }) => run)
  }

  #forgetOld(until: number): void {
    for (const entry of this.#durable) {
      if (entry.durableAt > until) break
      this.#durable.delete(entry)
      this.#forget(entry)
    }
  }

  #forget(entry: Entry): void {
    const others = this.#bySubject.get(entry.who)
    others?.delete(entry)
    if (others?.size === 0) this.#bySubject.delete(entry.who)
  }
}

function amountsOf(outcome: Outcome): Pick<OwnRun, 'ran' | 'rows' | 'bytes' | 'tokens'> {
  const { rows = 0, bytes = 0, model } = outcome
  const tokens = (model?.tokens_in ?? 0) + (model?.tokens_out ?? 0)
  return { ran: cameToSomething(outcome), rows, bytes, tokens }
}

/**
 * Whether a run did not fail, or had returned something by then: a client that leaves before the
 * last byte has seen all the others. An error answer does not count as something.
 */
export function cameToSomething({
  result,
  status = 400,
  rows = 0,
  bytes = 0,
}: {
  readonly result: string
  readonly status?: number | undefined
  readonly rows?: number | undefined
  readonly bytes?: number | undefined
}): boolean {
  return result !== 'failed' || rows > 0 || (bytes > 0 && status < 400)
}

/** Takes note of what becomes of a run. */
export interface Running {
  ended(outcome: Outcome): void
  recorded(): void
  /** The action does not run after all. */
  cameToNothing(): void
}

function whoOf({ issuer, subject }: Subject): string {
  return JSON.stringify([issuer, subject])
}
