import type { Store } from '../../store/db.ts'
import type { EventRow } from '../exported.ts'
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
  { first, end }: Part,
  { personal = true }: RowOptions = {},
): AsyncGenerator<EventRow> {
  for (let start = await stretchAt(store, first); start !== null && start < end;) {
    const rows = await readPart(store, { first: start, end }, pageSize)
    for (const row of rows) {
      if (row.index! < first || row.index! >= end) continue
      yield personal ? row : { ...row, salt: null, personal: null }
    }
    // Behind links that somebody took away the log goes on, and verifying names what is missing.
    const next = rows.length > 0 ? rows.at(-1)!.index! + 1 : start
    start = await nextStretch(store, { first: next, end })
  }
}
