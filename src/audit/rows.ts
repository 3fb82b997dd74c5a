import type { Queryable } from '../store/db.ts'
import type { Source, Described } from './event.ts'

/** An event and its place: link number `first` + its index in the batch. `described` is null when its row is in the database already. */
export interface Linked {
  readonly id: string
  readonly described: Described | null
  /** In hex. */
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
    (id, time, type, replica, epoch, action, resource, decision, reason, approval, body)
  SELECT id, time, type, replica, epoch, action, resource, decision, reason, approval,
         substring($11::bytea FROM start FOR length)
  FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::uuid[], $5::bigint[], $6::uuid[],
              $7::text[], $8::text[], $9::text[], $10::uuid[], $12::int[], $13::int[])
    AS e (id, time, type, replica, epoch, action, resource, decision, reason, approval, start, length)`

const insertPersonal = `
  INSERT INTO sallyport.audit_personal (event, issuer, subject, salt, body)
  SELECT event, issuer, subject, substring($17::bytea FROM 16 * n::int - 15 FOR 16),
         substring($18::bytea FROM start FOR length)
  FROM unnest($14::uuid[], $15::text[], $16::text[], $19::int[], $20::int[])
    WITH ORDINALITY AS p (event, issuer, subject, start, length, n)`

const insertLinks = `
  INSERT INTO sallyport.audit_links (replica, epoch, n, event, prev, hash)
  SELECT $21::uuid, $22::bigint, $23::bigint + n - 1, event,
         substring($25::bytea FROM 32 * n::int - 31 FOR 32),
         substring($25::bytea FROM 32 * n::int + 1 FOR 32)
  FROM unnest($24::uuid[]) WITH ORDINALITY AS l (event, n)`

const now = `(extract(epoch FROM clock_timestamp()) * 1000)::float8 AS now`

const insertLinked = `
  WITH events AS (${insertEvents}), personal AS (${insertPersonal}), links AS (${insertLinks}),
       done AS (DELETE FROM sallyport.audit_unlinked WHERE event = ANY ($26::uuid[]))
  SELECT sallyport.pin_generation($27::bigint), ${now}`

const insertWithoutLinks = `
  WITH events AS (${insertEvents}), personal AS (${insertPersonal})
  INSERT INTO sallyport.audit_unlinked (event, replica, epoch)
  SELECT * FROM unnest($1::uuid[], $4::uuid[], $5::bigint[])`

/** Events, personal parts and links in one statement: all of it is durable when it resolves, or nothing. Gives the database's clock, in milliseconds. */
export async function insertBatch(store: Queryable, batch: Batch): Promise<number> {
  const fresh = batch.events.flatMap(({ described }) => described ?? [])
  const known = batch.events.filter(({ described }) => !described)
  const [row] = await store.query<{ now: number }>(insertLinked, [
    ...eventParams(fresh),
    ...linkParams(batch),
    literal(known.map(({ id }) => id)),
    batch.under,
  ])
  return row!.now
}

/** Events in a transaction of their caller's. They are linked once that has committed. */
export async function insertUnlinked(tx: Queryable, events: readonly Described[]): Promise<void> {
  await tx.query(insertWithoutLinks, eventParams(events))
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
     ORDER BY e.time, e.id
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

/** What holds a place that a batch wants: the batch itself, another chain end, or links of events that it only wanted to link. */
export type Conflict =
  | { readonly kind: 'same' | 'taken' | 'unknown' }
  | { readonly kind: 'linked'; readonly events: ReadonlySet<string> }

export async function findConflict(store: Queryable, batch: Batch): Promise<Conflict> {
  const { chain, first, events } = batch
  const last = first + events.length - 1
  const links = await store.query<{ own: boolean; n: number; event: string; hash: Buffer }>(
    `SELECT (replica, epoch) = ($1::uuid, $2::bigint) AS own, n, event, hash
     FROM sallyport.audit_links
     WHERE (replica, epoch, n) IN (($1, $2, $3), ($1, $2, $4)) OR event = ANY ($5::uuid[])`,
    [chain.replica, chain.epoch, first, last, literal(events.map(({ id }) => id))],
  )
  const place = (n: number) => links.find((link) => link.own && link.n === n)
  if (place(last)?.hash.toString('hex') === events.at(-1)!.hash) return { kind: 'same' }
  if (place(first)) return { kind: 'taken' }
  if (links.length > 0) return { kind: 'linked', events: new Set(links.map(({ event }) => event)) }
  return { kind: 'unknown' }
}

function eventParams(events: readonly Described[]): unknown[] {
  const bodies = pack(events.map(({ body }) => body))
  const withPersonal = events.filter(({ personal }) => personal)
  const personal = pack(withPersonal.map((event) => event.personal!.body))
  return [
    literal(events.map(({ id }) => id)),
    literal(events.map(({ time }) => time)),
    literal(events.map(({ input }) => input.type)),
    literal(events.map(({ source }) => source.replica)),
    literal(events.map(({ source }) => String(source.epoch))),
    literal(events.map(({ input }) => input.action?.id)),
    literal(events.map(({ input }) => input.resource)),
    literal(events.map(({ input }) => input.decision)),
    literal(events.map(({ input }) => input.reason)),
    literal(events.map(({ input }) => input.approval)),
    bodies.bytes,
    bodies.starts,
    bodies.lengths,
    literal(withPersonal.map(({ id }) => id)),
    literal(withPersonal.map(({ input }) => input.subject?.issuer)),
    literal(withPersonal.map(({ input }) => input.subject?.subject)),
    Buffer.concat(withPersonal.map((event) => event.personal!.salt)),
    personal.bytes,
    personal.starts,
    personal.lengths,
  ]
}

function linkParams({ chain, first, prev, events }: Batch): unknown[] {
  const hashes = Buffer.from(prev + events.map(({ hash }) => hash).join(''), 'hex')
  return [chain.replica, chain.epoch, first, literal(events.map(({ id }) => id)), hashes]
}

/** Texts one behind the other, and where each is, from 1: a fraction of the cost of an array of byte strings. */
function pack(texts: readonly string[]): { bytes: Buffer; starts: string; lengths: string } {
  const bytes = Buffer.from(texts.join(''))
  const starts: number[] = []
  const lengths: number[] = []
  let start = 1
  for (const text of texts) {
    const length = Buffer.byteLength(text)
    starts.push(start)
    lengths.push(length)
    start += length
  }
  return { bytes, starts: `{${starts.join(',')}}`, lengths: `{${lengths.join(',')}}` }
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
