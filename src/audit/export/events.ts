import { readCopied, sqlInteger, sqlUuid, type Values } from '../../store/copied-rows.ts'
import type { Queryable } from '../../store/db.ts'
import type { Stored } from '../exported.ts'

/** An event as it is stored, without its link. */
export interface StoredEvent {
  readonly id: string
  /** In bytes. */
  readonly size: number
  /** `null` in a long event, like `salt` and `personal`; `readLong` reads it. */
  readonly body: Stored | null
  readonly salt: Buffer | null
  readonly personal: Stored | null
}

/**
 * In bytes. A page of events no longer than this fits into memory; agents can make an event some
 * megabytes long.
 */
const short = 16 * 1024

const size = `octet_length(body) + coalesce(octet_length(personal), 0)`
const ifShort = (column: string) => `CASE WHEN ${size} <= ${short} THEN ${column} END AS ${column}`
const columns = `id::text, ${size} AS size, ${['body', 'salt', 'personal'].map(ifShort).join(', ')}`

const asStored = (values: Values): StoredEvent => ({
  id: values.text(),
  size: values.integer(),
  body: values.textOrBytes(),
  salt: values.bytesOrNull(),
  personal: values.textOrBytes(),
})

/**
 * Those events with these ids that exist. Neighbours in the log nearly always have neighbouring
 * ids, which are read together for a fraction of what finding each costs.
 */
export async function readEvents(
  store: Queryable,
  ids: readonly string[],
): Promise<ReadonlyMap<string, StoredEvent>> {
  // A link that somebody changed may have empty ids. As text, ids have the same order as in the
  // database.
  const sought = ids.filter((id) => id !== '').toSorted()
  const [lo, hi] = [sought.at(0), sought.at(-1)]
  if (lo === undefined || hi === undefined) return new Map()
  const most = 2 * sought.length
  // From the last one backwards: an event that was linked late is older than its neighbours, and
  // may be far away.
  const found = await readCopied(
    store,
    `SELECT ${columns} FROM sallyport.audit_events e
     WHERE e.id BETWEEN ${sqlUuid(lo)} AND ${sqlUuid(hi)} ORDER BY e.id DESC LIMIT ${sqlInteger(most)}`,
    asStored,
  )
  const reached = found.length === most ? found.at(-1)?.id : undefined
  const far = reached === undefined ? [] : sought.filter((id) => id < reached)
  const rest = far.length === 0 ? [] : await readEach(store, columns, far)
  return new Map([...found, ...rest].map((event) => [event.id, event]))
}

/** Reads the same in full, for long events. */
export async function readLong(
  store: Queryable,
  ids: readonly string[],
): Promise<ReadonlyMap<string, StoredEvent>> {
  const found = await readEach(store, `id::text, ${size} AS size, body, salt, personal`, ids)
  return new Map(found.map((event) => [event.id, event]))
}

function readEach(
  store: Queryable,
  wanted: string,
  ids: readonly string[],
): Promise<StoredEvent[]> {
  return readCopied(
    store,
    `SELECT ${wanted} FROM sallyport.audit_events WHERE id IN (${ids.map(sqlUuid).join(', ')})`,
    asStored,
  )
}
