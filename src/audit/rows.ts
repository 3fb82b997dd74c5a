import type { Prepared, Queryable } from '../store/db.ts'
import type { Source, Described } from './event.ts'

/** An event and its place: link number `first` + its index in the batch. `described` is null when its row is in the database already. */
export interface Linked {
  readonly id: string
  readonly described: Described | null
  /** In hex, as the next. */
  readonly leaf: string
  readonly hash: string
}

export interface Batch {
  readonly chain: Source
  readonly first: number
  /** Hash of the link before the first. */
  readonly prev: string
  readonly events: readonly Linked[]
  /** The generation of the policies that has to be in force for it; `null` for any. */
  readonly under: number | null
}

const insertEvents = `
  INSERT INTO sallyport.audit_events
    (id, time, type, replica, epoch, n, action, resource, decision, reason, approval, body,
     issuer, subject, salt, personal)
  SELECT id, time, type, replica, epoch, n, action, resource, decision, reason, approval,
         substring($12::bytea FROM start FOR length),
         issuer, subject,
         substring($17::bytea FROM salt FOR 16),
         substring($18::bytea FROM p_start FOR p_length)
  FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::uuid[], $5::bigint[], $6::bigint[],
              $7::uuid[], $8::text[], $9::text[], $10::text[], $11::uuid[], $13::int[], $14::int[],
              $15::text[], $16::text[], $19::int[], $20::int[], $21::int[])
    AS e (id, time, type, replica, epoch, n, action, resource, decision, reason, approval, start, length,
          issuer, subject, salt, p_start, p_length)`

const insertLinks = `
  INSERT INTO sallyport.audit_links (replica, epoch, first, events, leaves, prev, hashes)
  VALUES ($22::uuid, $23::bigint, $24::bigint, $25::uuid[], $26::bytea, $27::bytea, $28::bytea)`

const insertPlaces = `
  INSERT INTO sallyport.audit_places (event, replica, epoch, n)
  SELECT event, $22::uuid, $23::bigint, n
  FROM unnest($30::uuid[], $31::bigint[]) AS p (event, n)`

const now = `(extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now`

const answer = `SELECT sallyport.pin_generation($29::bigint), ${now}`

// By far the most frequent statement that there is: reading and planning it costs more than running it.
const insertLinked: Prepared = {
  name: 'audit_insert_linked',
  text: `WITH events AS (${insertEvents}), links AS (${insertLinks}) ${answer}`,
}

const insertAndPlace = `
  WITH events AS (${insertEvents}), links AS (${insertLinks}), places AS (${insertPlaces}),
       done AS (DELETE FROM sallyport.audit_unlinked WHERE event = ANY ($30::uuid[]))
  ${answer}`

const insertWithoutLinks = `
  WITH events AS (${insertEvents})
  INSERT INTO sallyport.audit_unlinked (event, replica, epoch)
  SELECT * FROM unnest($1::uuid[], $4::uuid[], $5::bigint[])`

/** Events, personal parts and links in one statement: all of it is durable when it resolves, or nothing. Gives the database's clock, in milliseconds. */
export async function insertBatch(store: Queryable, batch: Batch): Promise<number> {
  const { fresh, placed } = placesOf(batch)
  const params = [...eventParams(fresh), ...linkParams(batch)]
  const [row] =
    placed.length === 0
      ? await store.query<{ now: number }>(insertLinked, params)
      : await store.query<{ now: number }>(insertAndPlace, [...params, ...placeParams(placed)])
  return row!.now
}

/** Events in a transaction of their caller's. They are linked once that has committed. */
export async function insertUnlinked(tx: Queryable, events: readonly Described[]): Promise<void> {
  const fresh = events.map((described) => ({ described, n: null }))
  await tx.query(insertWithoutLinks, eventParams(fresh))
}

/** Events that were written and committed, and are in no chain yet: this replica's, and what dead ones left behind. */
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
     WHERE u.replica = $1 OR r.closed_at IS NOT NULL
     ORDER BY e.id
     LIMIT $2`,
    [replica, limit],
  )
  return rows.map(({ id, body }) => ({ id, body: body.toString() }))
}

/** Milliseconds since the epoch. */
export async function readClock(store: Queryable): Promise<number> {
  const [row] = await store.query<{ now: number }>(`SELECT ${now}`)
  return row!.now
}

interface Fresh {
  readonly described: Described
  /** Its position, if its own row says it. */
  readonly n: number | null
}

interface Placed {
  readonly id: string
  readonly n: number
}

/** An event that is written as it is linked says itself where. One that is there already, or is linked in another chain than it describes, cannot. */
function placesOf({ chain, first, events }: Batch): { fresh: Fresh[]; placed: Placed[] } {
  const fresh: Fresh[] = []
  const placed: Placed[] = []
  for (const [index, { id, described }] of events.entries()) {
    const n = first + index
    const own =
      described?.source.epoch === chain.epoch && described.source.replica === chain.replica
    if (described) fresh.push({ described, n: own ? n : null })
    if (!own) placed.push({ id, n })
  }
  return { fresh, placed }
}

function eventParams(fresh: readonly Fresh[]): unknown[] {
  const events = fresh.map(({ described }) => described)
  const bodies = pack(events.map(({ body }) => body))
  const personal = pack(events.map((event) => event.personal?.body))
  const salts = events.flatMap((event) => event.personal?.salt ?? [])
  let salted = 0
  return [
    list(events.map(({ id }) => id)),
    literal(events.map(({ time }) => time)),
    literal(events.map(({ input }) => input.type)),
    list(events.map(({ source }) => source.replica)),
    list(events.map(({ source }) => source.epoch)),
    list(fresh.map(({ n }) => n)),
    literal(events.map(({ input }) => input.action?.id)),
    literal(events.map(({ input }) => input.resource)),
    literal(events.map(({ input }) => input.decision)),
    literal(events.map(({ input }) => input.reason)),
    literal(events.map(({ input }) => input.approval)),
    bodies.bytes,
    bodies.starts,
    bodies.lengths,
    literal(events.map(({ input }) => input.subject?.issuer)),
    literal(events.map(({ input }) => input.subject?.subject)),
    Buffer.concat(salts),
    personal.bytes,
    list(events.map((event) => (event.personal ? 16 * salted++ + 1 : null))),
    personal.starts,
    personal.lengths,
  ]
}

function linkParams({ chain, first, prev, events, under }: Batch): unknown[] {
  return [
    chain.replica,
    chain.epoch,
    first,
    list(events.map(({ id }) => id)),
    Buffer.from(events.map(({ leaf }) => leaf).join(''), 'hex'),
    Buffer.from(prev, 'hex'),
    Buffer.from(events.map(({ hash }) => hash).join(''), 'hex'),
    under,
  ]
}

function placeParams(placed: readonly Placed[]): unknown[] {
  return [list(placed.map(({ id }) => id)), list(placed.map(({ n }) => n))]
}

/** Texts one behind the other, and where each is, from 1: a fraction of the cost of an array of byte strings. */
function pack(texts: readonly (string | undefined)[]) {
  const bytes = Buffer.from(texts.join(''))
  const starts: (number | null)[] = []
  const lengths: (number | null)[] = []
  let start = 1
  for (const text of texts) {
    const length = text === undefined ? null : Buffer.byteLength(text)
    starts.push(length === null ? null : start)
    lengths.push(length)
    start += length ?? 0
  }
  return { bytes, starts: list(starts), lengths: list(lengths) }
}

/** An array of what needs no quotes: numbers, UUIDs, nothing. */
function list(values: readonly (string | number | null)[]): string {
  return `{${values.map((value) => value ?? 'NULL').join(',')}}`
}

const plain = /^[\w.:/-]+$/

/** An array as PostgreSQL reads it (PostgreSQL 18, §8.15.2). Most of ours need no quotes, and so the driver's slower way. */
function literal(values: readonly (string | undefined)[]): string {
  return `{${values.map(element).join(',')}}`
}

function element(value: string | undefined): string {
  if (value === undefined) return 'NULL'
  if (plain.test(value) && value.toUpperCase() !== 'NULL') return value
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`
}
