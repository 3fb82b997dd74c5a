import type { Indexes } from '../../core/event.ts'
import type { Queryable } from '../../store/db.ts'
import type { EventRow } from '../exported.ts'
import { listRetentions } from '../retentions.ts'
import { readLong } from './events.ts'
import { readPart, type Page } from './part.ts'
import { stretchAt, type Part } from './stretches.ts'

/** Events that are read at a time. A stretch of links is always read whole. */
const pageSize = 1_000
/** Bytes of long events that are read at a time; a longer one is read alone. */
const mostBytes = 4 * 1024 * 1024

export interface RowOptions {
  /** `false` leaves out the erasable part. The hashes verify all the same. */
  readonly personal?: boolean
}

/** The events of a part, in the order of the log, in constant memory. */
export async function* readRows(
  store: Queryable,
  part: Part,
  options: RowOptions = {},
): AsyncGenerator<EventRow> {
  for await (const page of readPages(store, part, options)) yield* page
}

/** The same, in pages. The next page is read while one is used. */
export async function* readPages(
  store: Queryable,
  { first, end }: Part,
  { personal = true }: RowOptions = {},
): AsyncGenerator<readonly EventRow[]> {
  const read = async (start: number | null): Promise<Page> =>
    start === null ? nothing : readPart(store, { first: start, end }, pageSize)
  const elsewhere = new Elsewhere(store)
  let reading = read(await stretchAt(store, first))
  for (;;) {
    const { rows, long, next } = await reading
    if (next === null) return
    reading = read(next)
    // A reader that goes on gets the error; one that stops has no use for it.
    reading.catch(() => {})
    const wanted = rows.filter(({ index }) => index! >= first && index! < end)
    for (const piece of piecesOf(wanted, long)) {
      const whole = await elsewhere.mark(await withLong(store, piece, long))
      yield personal ? whole : whole.map((row) => ({ ...row, salt: null, personal: null }))
    }
  }
}

const nothing: Page = { rows: [], long: new Map(), next: null }

/** A page as a whole, or in pieces if it is too large for memory. */
function piecesOf(rows: readonly EventRow[], long: Page['long']): (readonly EventRow[])[] {
  if (long.size === 0) return [rows]
  const pieces: EventRow[][] = [[]]
  let bytes = 0
  for (const row of rows) {
    const size = long.get(row.id) ?? 0
    if (bytes > 0 && bytes + size > mostBytes) {
      pieces.push([])
      bytes = 0
    }
    bytes += size
    pieces.at(-1)!.push(row)
  }
  return pieces
}

async function withLong(
  store: Queryable,
  rows: readonly EventRow[],
  long: Page['long'],
): Promise<readonly EventRow[]> {
  const ids = rows.flatMap(({ id }) => (long.has(id) ? id : []))
  if (ids.length === 0) return rows
  const events = await readLong(store, ids)
  return rows.map((row) => {
    const { body, salt, personal } = events.get(row.id) ?? row
    // The event's month may have left the database meanwhile.
    return body === null ? row : { ...row, body, salt, personal, leaf: null }
  })
}

/**
 * Tells events that are kept elsewhere from those that somebody removed, for readers who do not
 * verify.
 */
class Elsewhere {
  readonly #store: Queryable
  // Owned by mark(): the records as they were when an event was last found missing.
  #indexes: readonly Indexes[] = []

  constructor(store: Queryable) {
    this.#store = store
  }

  async mark(rows: readonly EventRow[]): Promise<readonly EventRow[]> {
    const gone = rows.filter(({ body }) => body === null)
    if (gone.length === 0) return rows
    // A month can leave while it is exported.
    if (!gone.every((row) => this.#has(row))) {
      const retentions = await listRetentions(this.#store)
      this.#indexes = retentions.flatMap(({ indexes }) => indexes)
    }
    return rows.map((row) =>
      row.body === null && this.#has(row) ? { ...row, retained: true } : row,
    )
  }

  #has({ index }: EventRow): boolean {
    return this.#indexes.some(({ first, end }) => first <= index! && index! < end)
  }
}
