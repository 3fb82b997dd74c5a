import type { TouchedData } from '../core/data-use.ts'
import type { JsonValue } from '../core/json.ts'
import type { Prepared, Queryable } from '../store/db.ts'

/** A run that is on record, and perhaps not counted yet. */
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
 * In SQL, over an `outcome`: whether it did not fail, or something of what was asked for had come back by then. Who goes away before the last byte has seen all the others; an
 * answer that says no has nothing in it.
 */
export const cameToSomething = `(outcome ->> 'result' <> 'failed' OR coalesce((outcome ->> 'rows')::numeric > 0, false)
  OR coalesce((outcome ->> 'bytes')::numeric > 0 AND (outcome ->> 'status')::int < 400, false))`

/** Events in the log that may be looked through before an action. Where more are not counted yet, nothing can be said. */
const most = 20_000

/**
 * The runs of a subject that are durable and not counted yet: events that are in the log behind what is counted, in a chain and not in the log yet, or not even in a chain. `null`: there
 * are too many to look at. Each event is looked up by its id (OFFSET 0 keeps it so): the planner would rather read the whole log. In one statement with what is counted (`counted`, an SQL expression over `$1` and `$2`, issuer and name of the subject), so that both are of one moment.
 */
export function recentRuns(counted: string): string {
  return `WITH progress AS MATERIALIZED (SELECT next FROM sallyport.usage_progress),
     links AS MATERIALIZED (
       SELECT l.events FROM sallyport.audit_tree_stretches s
       CROSS JOIN LATERAL (SELECT l.events FROM sallyport.audit_links l
                           WHERE (l.replica, l.epoch, l.first) = (s.replica, s.epoch, s.first) OFFSET 0) l
       WHERE s.start >= (SELECT next FROM progress) AND s.start < (SELECT next + ${most} FROM progress)
       UNION ALL
       SELECT l.events FROM sallyport.replicas r
       LEFT JOIN sallyport.audit_tree_chains c USING (replica, epoch)
       CROSS JOIN LATERAL (SELECT events FROM sallyport.audit_links l
                           WHERE l.replica = r.replica AND l.epoch = r.epoch AND l.first >= coalesce(c.next, 1)
                           LIMIT ${most}) l
       WHERE c.ended IS NOT TRUE),
     behind AS (
       SELECT (SELECT size FROM sallyport.audit_tree) - (SELECT next FROM progress) > ${most}
              OR (SELECT coalesce(sum(cardinality(events)), 0) FROM links) > ${most} AS it),
     recent AS MATERIALIZED (
       SELECT e.action, e.resource, e.time, e.body::jsonb AS body
       FROM (SELECT unnest(events) AS id FROM links UNION ALL SELECT event FROM sallyport.audit_unlinked) u
       CROSS JOIN LATERAL (SELECT e.type, e.action, e.resource, e.time, convert_from(e.body, 'UTF8') AS body
                           FROM sallyport.audit_events e WHERE e.id = u.id OFFSET 0) e
       WHERE NOT (SELECT it FROM behind) AND e.type = 'action.completed' AND position('"usage":{' IN e.body) > 0),
     mine AS MATERIALIZED (
       SELECT r.*, r.body -> 'outcome' AS outcome FROM recent r
       CROSS JOIN LATERAL (
         SELECT e.issuer, e.subject FROM sallyport.audit_events e
         WHERE e.action = r.action AND e.type IN ('action.decided', 'action.dispatched')
         ORDER BY e.id LIMIT 1) d
       WHERE d.issuer = $1 AND d.subject = $2)
     SELECT (SELECT it FROM behind) AS behind, (${counted}) AS counted,
            (SELECT json_agg(json_build_object(
               'action', action, 'resource', resource, 'at', (extract(epoch FROM time) * 1000)::float8,
               'usage', body -> 'usage', 'outcome', outcome, 'ran', ${cameToSomething})) FROM mine) AS recent`
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
  readonly usage: Partial<TouchedData> & {
    readonly tokens_in?: number
    readonly tokens_out?: number
  }
  readonly outcome: { readonly rows?: number; readonly bytes?: number }
  readonly ran: boolean
}

/** What is counted of a subject, and what is not yet. `null` where too much is not. Rejects with `StoreError`. */
export async function readRecent(
  db: Queryable,
  statement: Prepared,
  params: readonly unknown[],
): Promise<{ readonly counted: JsonValue; readonly recent: readonly RecentRun[] } | null> {
  const [answer] = await db.query<Answer>(statement, params)
  const { behind, counted, recent } = answer!
  return behind ? null : { counted, recent: (recent ?? []).map(asRun) }
}

function asRun({ action, resource, at, usage, outcome, ran }: RecentRow): RecentRun {
  const { datasets = [], classes = [], tables = [], tokens_in = 0, tokens_out = 0 } = usage
  const { rows = 0, bytes = 0 } = outcome
  const tokens = tokens_in + tokens_out
  return {
    action,
    resource,
    at: new Date(at),
    datasets,
    classes,
    tables,
    ran,
    rows,
    bytes,
    tokens,
  }
}
