import type { Queryable } from '../store/db.ts'
import { firstIdAt } from './event-id.ts'
import { asProblem } from './search.ts'

/** Whose actions, in which time. */
export interface UsageFilter {
  readonly by: 'subject' | 'resource'
  /** At or after. */
  readonly from: Date
  /** Before. */
  readonly to: Date
  /** The name that its issuer gives the subject. */
  readonly subject?: string
  readonly resource?: string
}

/** What one name did in one stretch of time. An action belongs to the stretch in which it was decided. */
export interface Usage {
  /** `null`: everybody (or everything) else together. */
  readonly name: string | null
  /** Where the stretch begins. */
  readonly at: Date
  readonly actions: number
  readonly denied: number
  readonly held: number
  /** Of answers that the upstream gave; 0 where its protocol has no rows. */
  readonly rows: number
  readonly bytes: number
}

export interface UsageReport {
  /** Seconds. */
  readonly step: number
  /** Actions before it were not counted, since there are too many; `null` when all were. */
  readonly countedFrom: Date | null
  readonly usage: readonly Usage[]
}

/** Who did more than these gets a line of their own. */
const namesShown = 12
const mostSteps = 96
const steps = [60, 300, 900, 3_600, 21_600, 86_400, 604_800]

/** Seconds: the shortest of the usual stretches of which at most 96 cover the range. */
export function stepFor(from: Date, to: Date): number {
  const seconds = (to.getTime() - from.getTime()) / 1_000
  return steps.find((step) => seconds / step <= mostSteps) ?? steps.at(-1)!
}

/**
 * Who touched which resource, how often, and how much came back. Counts the newest `limit` actions of the range and says where it stopped. Rejects with
 * the problem `bad-request` when even that takes too long.
 */
export async function usageOf(
  store: Queryable,
  { by, from, to, subject, resource }: UsageFilter,
  limit = 100_000,
): Promise<UsageReport> {
  const step = stepFor(from, to)
  const rows = await store
    .query<Usage & { oldest: Date; counted: number }>(
      `WITH decided AS MATERIALIZED (
         SELECT e.time, e.action, ${by === 'subject' ? 'e.subject' : 'e.resource'} AS name,
                CASE WHEN e.decision IN ('deny', 'hold') AND convert_from(e.body, 'UTF8')::jsonb ? 'enforced'
                     THEN 'allow' ELSE e.decision END AS decision
           FROM sallyport.audit_events e
          WHERE e.type = 'action.decided' AND e.id >= $1 AND e.id < $2
            AND ($3::text IS NULL OR e.subject = $3) AND ($4::text IS NULL OR e.resource = $4)
          ORDER BY e.id DESC
          LIMIT $5
       ), ranked AS (
         SELECT name, row_number() OVER (ORDER BY count(*) DESC, name) AS rank FROM decided GROUP BY name
       ), measured AS (
         SELECT d.time, d.decision, d.name, o.rows, o.bytes
           FROM decided d
           LEFT JOIN LATERAL (
             SELECT (outcome ->> 'rows')::float8 AS rows, (outcome ->> 'bytes')::float8 AS bytes
               FROM (SELECT convert_from(e.body, 'UTF8')::jsonb -> 'outcome' AS outcome
                       FROM sallyport.audit_events e
                      WHERE e.action = d.action AND e.type = 'action.completed'
                      ORDER BY e.id DESC LIMIT 1) last
           ) o ON true
       )
       SELECT CASE WHEN r.rank <= $6 THEN m.name END AS name,
              date_bin(make_interval(secs => $7), m.time, 'epoch') AS at,
              count(*)::float8 AS actions,
              count(*) FILTER (WHERE m.decision = 'deny')::float8 AS denied,
              count(*) FILTER (WHERE m.decision = 'hold')::float8 AS held,
              coalesce(sum(m.rows), 0) AS rows,
              coalesce(sum(m.bytes), 0) AS bytes,
              (SELECT min(time) FROM decided) AS oldest,
              (SELECT count(*)::float8 FROM decided) AS counted
         FROM measured m
         JOIN ranked r ON r.name IS NOT DISTINCT FROM m.name
        GROUP BY 1, 2
        ORDER BY 2, 1`,
      [firstIdAt(from), firstIdAt(to), subject ?? null, resource ?? null, limit, namesShown, step],
    )
    .catch((error: unknown) => {
      throw asProblem(error)
    })
  const [first] = rows
  return {
    step,
    countedFrom: first && first.counted >= limit ? first.oldest : null,
    usage: rows.map(({ oldest: _oldest, counted: _counted, ...usage }) => usage),
  }
}
