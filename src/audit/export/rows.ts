import type { Indexes } from '../../core/event.ts'
import type { Store } from '../../store/db.ts'
import type { EventRow } from '../exported.ts'
import { listRetentions } from '../retentions.ts'
import { readPart, type Page } from './part.ts'
import { stretchAt, type Part } from './stretches.ts'

/** Events that are read at a time; one stretch of links is read whole. */
const pageSize = 1_000

export interface RowOptions {
  /** `false`: without what can be erased. The hashes verify all the same. */
  readonly personal?: boolean
}

/** The events of a part, in the order of the log, from any place of it, in constant memory. */
export async function* readRows(
  store: Store,
  part: Part,
  options: RowOptions = {},
): AsyncGenerator<EventRow> {
  for await (const page of readPages(store, part, options)) yield* page
}

/** The same, many at a time. The next ones are read while these are used. */
export async function* readPages(
  store: Store,
  { first, end }: Part,
  { personal = true }: RowOptions = {},
): AsyncGenerator<readonly EventRow[]> {
  const read = async (start: number | null): Promise<Page> =>
    start === null ? { rows: [], next: null } : readPart(store, { first: start, end }, pageSize)
  const elsewhere = new Elsewhere(store)
  let reading = read(await stretchAt(store, first))
  for (;;) {
    const { rows, next } = await reading
    if (next === null) return
    reading = read(next)
    // Whoever goes on hears of an error, and whoever does not has no use for it.
    reading.catch(() => {})
    const wanted = await elsewhere.mark(rows.filter(({ index }) => index! >= first && index! < end))
    yield personal ? wanted : wanted.map((row) => ({ ...row, salt: null, personal: null }))
  }
}

/** Tells events that are kept elsewhere from those that somebody took away, for readers who do not verify. */
class Elsewhere {
  readonly #store: Store
  // Owned by mark(): read once, when the first event is not there.
  #indexes: readonly Indexes[] | null = null

  constructor(store: Store) {
    this.#store = store
  }

  async mark(rows: readonly EventRow[]): Promise<readonly EventRow[]> {
    if (rows.every(({ body }) => body !== null)) return rows
    this.#indexes ??= (await listRetentions(this.#store)).flatMap(
      ({ retention }) => retention.indexes,
    )
    const ranges = this.#indexes
    const isKept = (at: number) => ranges.some(({ first, end }) => first <= at && at < end)
    return rows.map((row) =>
      row.body === null && isKept(row.index!) ? { ...row, retained: true } : row,
    )
  }
}
