import { z } from 'zod'
import type { TouchedData } from '../core/data-use.ts'
import type { JsonValue } from '../core/json.ts'
import type { Prepared, Queryable } from '../store/db.ts'
import { nextOfChain, openChains } from '../store/open-chains.ts'
import { cameToSomething } from './under-way.ts'

/** A run that is on record, and may not be counted yet. */
export interface RecentRun extends Pick<TouchedData, 'datasets' | 'classes' | 'tables'> {
  readonly action: string
  readonly resource: string
  readonly at: Date
  /** Whether anything came of it. */
  readonly ran: boolean
  readonly rows: number
  readonly bytes: number
  readonly tokens: number
}

/**
 * The most uncounted events that are looked through before an action. Where there are more, nothing
 * can be said.
 */
const most = 20_000
/** Bytes of one that is read. */
const longest = 1024 * 1024

/**
 * The runs of a subject that are durable and not counted yet: events that are in the log behind
 * what is counted, in a chain and not in the log yet, or not even in a chain; and when those of
 * them were that nobody can read, counted over or not. `null`: there are too many to look at. Each
 * event is looked up by its id (OFFSET 0 keeps it so): the planner would rather read the whole log.
 * In one statement with what is counted (`counted`, an SQL expression over `$1` and `$2`, issuer
 * and name of the subject), so that both are of one moment. Nothing in it reads what an event says:
 * one that is none would be an error of the statement, for every subject.
 */
export function recentRuns(counted: string): string {
  return `WITH progress AS MATERIALIZED (SELECT next FROM sallyport.usage_progress),
     links AS MATERIALIZED (
       SELECT l.events FROM sallyport.audit_tree_stretches s
       CROSS JOIN LATERAL (SELECT l.events FROM sallyport.audit_links l
                           WHERE (l.replica, l.epoch, l.first) = (s.replica, s.epoch, s.first) OFFSET 0) l
       WHERE s.start >= (SELECT next FROM progress) AND s.start < (SELECT next + ${most} FROM progress)
       UNION ALL
       SELECT l.events FROM (SELECT r.replica, r.epoch, ${nextOfChain} AS next FROM ${openChains}) r
       CROSS JOIN LATERAL (SELECT events FROM sallyport.audit_links l
                           WHERE l.replica = r.replica AND l.epoch = r.epoch AND l.first >= r.next
                           LIMIT ${most}) l),
     behind AS (
       SELECT (SELECT size FROM sallyport.audit_tree) - (SELECT next FROM progress) > ${most}
              OR (SELECT coalesce(sum(cardinality(events)), 0) FROM links) > ${most} AS it),
     recent AS MATERIALIZED (
       SELECT e.action, e.resource, e.time, e.body
       FROM (SELECT unnest(events) AS id FROM links UNION ALL SELECT event FROM sallyport.audit_unlinked) u
       CROSS JOIN LATERAL (SELECT e.type, e.action, e.resource, e.time, e.body
                           FROM sallyport.audit_events e WHERE e.id = u.id OFFSET 0) e
       WHERE NOT (SELECT it FROM behind) AND e.type = 'action.completed'
         AND (position('"usage":{'::bytea IN e.body) > 0 OR substring(e.body FROM 1 FOR 2) <> '{"'
              OR substring(e.body FROM octet_length(e.body)) <> '}')
       UNION ALL
       SELECT e.action, e.resource, e.time, NULL
       FROM sallyport.unreadable_events x JOIN sallyport.audit_events e ON e.id = x.event
       WHERE e.type = 'action.completed'),
     mine AS MATERIALIZED (
       SELECT r.* FROM recent r
       CROSS JOIN LATERAL (
         SELECT e.issuer, e.subject FROM sallyport.audit_events e
         WHERE e.action = r.action AND e.type IN ('action.decided', 'action.dispatched')
         ORDER BY e.id LIMIT 1) d
       WHERE d.issuer = $1 AND d.subject = $2)
     SELECT (SELECT it FROM behind) AS behind, (${counted}) AS counted,
            (SELECT json_agg(json_build_object(
               'action', action, 'resource', resource, 'at', (extract(epoch FROM time) * 1000)::float8,
               'body', CASE WHEN octet_length(body) <= ${longest} THEN encode(body, 'base64') END)) FROM mine) AS recent`
}

interface Answer {
  readonly behind: boolean
  readonly counted: JsonValue
  readonly recent: readonly RecentRow[] | null
}

interface RecentRow {
  readonly action: string
  readonly resource: string
  readonly at: number
  /** In base64; `null`: it cannot be read. */
  readonly body: string | null
}

/** What is on record about a subject. */
export interface Recent {
  readonly counted: JsonValue
  /** Runs that are not counted yet. */
  readonly recent: readonly RecentRun[]
  /** The times of runs that can neither be read nor counted. */
  readonly unreadable: readonly Date[]
}

/**
 * What is counted about a subject, and what is not yet; `null` where too much is not. Rejects with
 * a `StoreError`.
 */
export async function readRecent(
  db: Queryable,
  statement: Prepared,
  params: readonly unknown[],
): Promise<Recent | null> {
  const [answer] = await db.query<Answer>(statement, params)
  const { behind, counted, recent } = answer!
  if (behind) return null
  const runs: RecentRun[] = []
  const unreadable: Date[] = []
  for (const row of recent ?? []) {
    const run = runOf(row)
    if (run) runs.push(run)
    else unreadable.push(new Date(row.at))
  }
  return { counted, recent: runs, unreadable }
}

// Names that PostgreSQL could not count are not counted here either.
const name = z.string().refine((text) => text.isWellFormed() && !text.includes('\0'))
const names = z.array(name).default([])
const amount = z.number().default(0)
const completed = z.object({
  outcome: z.object({
    result: z.string(),
    status: z.number().optional(),
    rows: amount,
    bytes: amount,
  }),
  usage: z
    .object({
      datasets: names,
      classes: names,
      tables: names,
      tokens_in: amount,
      tokens_out: amount,
    })
    .prefault({}),
})
const utf8 = new TextDecoder('utf-8', { fatal: true })

/** `null` for an event that no gateway can have written. */
function runOf({ action, resource, at, body }: RecentRow): RecentRun | null {
  const said = body === null ? null : completed.safeParse(readBody(body)).data
  if (!said) return null
  const { outcome, usage } = said
  const { rows, bytes } = outcome
  const { datasets, classes, tables, tokens_in, tokens_out } = usage
  return {
    ...{ action, resource, at: new Date(at) },
    ...{ datasets, classes, tables },
    ran: cameToSomething(outcome),
    ...{ rows, bytes, tokens: tokens_in + tokens_out },
  }
}

function readBody(base64: string): unknown {
  try {
    return JSON.parse(utf8.decode(Buffer.from(base64, 'base64')))
  } catch {
    // Closed: this counts as a run that cannot be read.
    return null
  }
}
