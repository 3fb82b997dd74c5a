import { readCopied, sqlInteger, sqlUuid, type Values } from '../../store/copied-rows.ts'
import type { Queryable } from '../../store/db.ts'
import type { Stored } from '../exported.ts'

/** What is stored of an event itself. */
export interface StoredEvent {
  readonly id: string
  /** In bytes. */
  readonly size: number
  /** `null` in one that is long, as `salt` and `personal`: `readLong` reads it. */
  readonly body: Stored | null
  readonly salt: Buffer | null
  readonly personal: Stored | null
}

/**
 * In bytes: a page of these fits into memory. Agents choose how long an event is, up to some
 * megabytes.
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
 * The events with these ids, those that are there. Neighbours in the log nearly always have
 * neighbouring ids, which are read in one go for a fraction of what finding each costs.
 */
export async function readEvents(
  store: Queryable,
  ids: readonly string[],
): Promise<ReadonlyMap<string, StoredEvent>> {
  // Without what is none in a link that somebody changed. As text they have the order that they
  // have in the database.
  const sought = ids.filter((id) => id !== '').toSorted()
  const [lo, hi] = [sought.at(0), sought.at(-1)]
  if (lo === undefined || hi === undefined) return new Map()
  const most = 2 * sought.length
  // From the last one back: an event that was linked late is older than those beside it, and may be
  // from far away.
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

/** The same with all of each, for those that are long. */
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
