import type { Indexes } from '../../core/event.ts'
import type { Store } from '../../store/db.ts'
import type { EventRow } from '../exported.ts'
import { listRetentions } from '../retentions.ts'
import { nextStretch, readPart, stretchAt, type Part } from './stretches.ts'

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
  const read = async (start: number | null): Promise<readonly EventRow[]> =>
    start === null || start >= end ? [] : readPart(store, { first: start, end }, pageSize)
  const elsewhere = new Elsewhere(store)
  const start = await stretchAt(store, first)
  let reading = read(start)
  for (;;) {
    const rows = await reading
    if (rows.length === 0) return
    // Behind links that somebody took away the log goes on, and verifying names what is missing.
    reading = nextStretch(store, { first: rows.at(-1)!.index! + 1, end }).then(read)
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
