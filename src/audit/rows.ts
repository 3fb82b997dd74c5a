import type { Prepared, Queryable } from '../store/db.ts'
import { Statements } from '../store/statements.ts'
import type { Source, Described } from './event.ts'

/**
 * An event and its place: the link number is `first` plus its index in the batch. `described` is
 * `null` when its row is in the database already.
 */
export interface Linked {
  readonly id: string
  readonly described: Described | null
  /** In hex, like the next. */
  readonly leaf: string
  readonly hash: string
}

export interface Batch {
  readonly chain: Source
  readonly first: number
  /** Hash of the link before the first. */
  readonly prev: string
  readonly events: readonly Linked[]
  /** The generation of the policies that has to be in force; `null` for any. */
  readonly under: number | null
}

const columns = {
  id: 'uuid',
  time: 'timestamptz',
  type: 'text',
  replica: 'uuid',
  epoch: 'bigint',
  n: 'bigint',
  action: 'uuid',
  resource: 'text',
  decision: 'text',
  reason: 'text',
  approval: 'uuid',
  body: 'bytea',
  issuer: 'text',
  subject: 'text',
  salt: 'bytea',
  personal: 'bytea',
}
const types = Object.values(columns)

// By far the most frequent statements. Parsing and planning them costs more than running them, so
// they are prepared for these numbers of rows. Rows cost more as arrays, and most as a statement
// each.
const insertEvents = [16, 8, 4, 2, 1].map((rows) => ({ rows, insert: insertOf(rows) }))

function insertOf(rows: number): Prepared {
  const row = (at: number) =>
    `(${types.map((type, i) => `$${at * types.length + i + 1}::${type}`).join(', ')})`
  return {
    name: `audit_insert_${rows}`,
    text: `INSERT INTO sallyport.audit_events (${Object.keys(columns).join(', ')})
      VALUES ${Array.from({ length: rows }, (_, at) => row(at)).join(', ')}`,
  }
}

const insertPlaces: Prepared = {
  name: 'audit_insert_places',
  text: `WITH done AS (DELETE FROM sallyport.audit_unlinked WHERE event = ANY ($3::uuid[]))
    INSERT INTO sallyport.audit_places (event, replica, epoch, n)
    SELECT event, $1::uuid, $2::bigint, n FROM unnest($3::uuid[], $4::bigint[]) AS p (event, n)`,
}

const now = `(extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now`

const insertLinks: Prepared = {
  name: 'audit_insert_links',
  text: `WITH links AS (
      INSERT INTO sallyport.audit_links (replica, epoch, first, events, leaves, prev, hashes)
      VALUES ($1::uuid, $2::bigint, $3::bigint, $4::uuid[], $5::bytea, $6::bytea, $7::bytea))
    SELECT sallyport.pin_generation($8::bigint), ${now}`,
}

const insertWork: Prepared = {
  name: 'audit_insert_unlinked',
  text: `INSERT INTO sallyport.audit_unlinked (event, replica, epoch)
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[])`,
}

/**
 * Writes events, personal parts and links in one exchange. All of it is durable when this resolves,
 * or none. Resolves to the database's clock, in milliseconds since 1970.
 */
export async function insertBatch(store: Queryable, batch: Batch): Promise<number> {
  const { chain, first, prev, events, under } = batch
  const { fresh, placed } = placesOf(batch)
  const statements = new Statements()
  addEvents(statements, fresh)
  if (placed.length > 0) {
    statements
      .begin(insertPlaces, 4)
      .uuid(chain.replica)
      .bigint(chain.epoch)
      .uuids(placed.map(({ id }) => id))
      .bigints(placed.map(({ n }) => n))
  }
  statements
    .begin(insertLinks, 8)
    .uuid(chain.replica)
    .bigint(chain.epoch)
    .bigint(first)
    .uuids(events.map(({ id }) => id))
    .hex(events.map(({ leaf }) => leaf))
    .hex([prev])
    .hex(events.map(({ hash }) => hash))
    .bigint(under)
  const [, time] = await store.exchange(statements)
  return Number(time)
}

/** Writes events in the caller's transaction. They are linked once that has committed. */
export async function insertUnlinked(tx: Queryable, events: readonly Described[]): Promise<void> {
  if (events.length === 0) return
  const statements = new Statements()
  addEvents(
    statements,
    events.map((described) => ({ described, n: null })),
  )
  statements
    .begin(insertWork, 3)
    .uuids(events.map(({ id }) => id))
    .uuids(events.map(({ source }) => source.replica))
    .bigints(events.map(({ source }) => source.epoch))
  await tx.exchange(statements)
}

/**
 * Committed events that are in no chain yet: this replica's, and those that dead ones left behind.
 */
export async function findUnlinked(
  store: Queryable,
  replica: string,
  limit: number,
): Promise<{ id: string; body: string }[]> {
  const rows = await store.query<{ id: string; body: Buffer }>(
    `SELECT e.id, e.body
     FROM sallyport.audit_unlinked u
     JOIN sallyport.audit_events e ON e.id = u.event
     JOIN sallyport.replicas r ON (r.replica, r.epoch) = (u.replica, u.epoch)
     WHERE (u.replica = $1 OR r.closed_at IS NOT NULL)
       AND e.n IS NULL AND NOT EXISTS (SELECT FROM sallyport.audit_places p WHERE p.event = u.event)
     ORDER BY e.id
     LIMIT $2`,
    [replica, limit],
  )
  return rows.map(({ id, body }) => ({ id, body: body.toString() }))
}

/** The database's clock, in milliseconds since 1970. */
export async function readClock(store: Queryable): Promise<number> {
  const [row] = await store.query<{ now: number }>(`SELECT ${now}`)
  return row!.now
}

interface Fresh {
  readonly described: Described
  /** Its position, if its own row states it. */
  readonly n: number | null
}

interface Placed {
  readonly id: string
  readonly n: number
}

/**
 * An event that is written and linked together has its place in its own row. One that exists
 * already, or is linked in a chain other than its source's, cannot.
 */
function placesOf({ chain, first, events }: Batch): { fresh: Fresh[]; placed: Placed[] } {
  const fresh: Fresh[] = []
  const placed: Placed[] = []
  let n = first
  for (const { id, described } of events) {
    const own =
      described?.source.epoch === chain.epoch && described.source.replica === chain.replica
    if (described) fresh.push({ described, n: own ? n : null })
    if (!own) placed.push({ id, n })
    n += 1
  }
  return { fresh, placed }
}

function addEvents(statements: Statements, fresh: readonly Fresh[]): void {
  let at = 0
  for (const { rows, insert } of insertEvents) {
    while (fresh.length - at >= rows) {
      statements.begin(insert, rows * types.length)
      for (const end = at + rows; at < end; at++) addEvent(statements, fresh[at]!)
    }
  }
}

/** Values come in the order of `columns`. */
function addEvent(statements: Statements, { described, n }: Fresh): void {
  const { id, time, source, input, body, personal } = described
  statements
    .uuid(id)
    .time(time)
    .text(input.type)
    .uuid(source.replica)
    .bigint(source.epoch)
    .bigint(n)
    .uuid(input.action?.id)
    .text(input.resource)
    .text(input.decision)
    .text(input.reason)
    .uuid(input.approval)
    .text(body)
    .text(input.subject?.issuer)
    .text(input.subject?.subject)
    .bytes(personal?.salt)
    .text(personal?.body)
}
