import type { Queryable } from '../store/db.ts'

export const dimensions = ['subject', 'resource', 'dataset', 'class', 'model'] as const

export type Dimension = (typeof dimensions)[number]

/** Whose actions, on which data, in which time. All given conditions have to hold. */
export interface UsageFilter {
  readonly by: Dimension
  /** At or after the beginning of its hour. */
  readonly from: Date
  /** Exclusive. */
  readonly to: Date
  /** The subject's name, as its issuer gives it. */
  readonly subject?: string | undefined
  readonly resource?: string | undefined
  readonly dataset?: string | undefined
  readonly class?: string | undefined
  readonly model?: string | undefined
}

/**
 * What one subject did, or what was done with one resource, data set, class or model, in one
 * stretch of time.
 */
export interface Usage {
  /** `null` for everybody, or everything, else together. */
  readonly name: string | null
  /** The beginning of the stretch. */
  readonly at: Date
  /** Actions that were decided, in the hour of the decision; by model, those that ran. */
  readonly actions: number
  readonly denied: number
  readonly held: number
  /** Runs that ended. This and everything below counts in the hour in which the run ended. */
  readonly runs: number
  /** Rows that upstreams returned; 0 where the protocol has no rows. */
  readonly rows: number
  readonly bytes: number
  readonly tokens_in: number
  readonly tokens_out: number
  readonly tokens_cached: number
}

export interface UsageReport {
  /** The length of a stretch, in seconds. */
  readonly step: number
  /** Everything before this time is counted. What came after may not be. */
  readonly countedUntil: Date | null
  readonly usage: readonly Usage[]
}

/** How many names, the busiest first, get lines of their own. */
const namesShown = 12
const mostSteps = 96
const steps = [3_600, 21_600, 86_400, 604_800]

/** The shortest usual stretch, in seconds, of which at most 96 cover the range. */
export function stepFor(from: Date, to: Date): number {
  const seconds = (to.getTime() - from.getTime()) / 1_000
  return steps.find((step) => seconds / step <= mostSteps) ?? steps.at(-1)!
}

/**
 * The names that an hour `u` counts under, by dimension. Actions on several data sets count under
 * each of them.
 */
const names: Readonly<Record<Dimension, string>> = {
  subject: 'SELECT u.subject AS name',
  resource: 'SELECT u.resource AS name',
  dataset: 'SELECT unnest(u.datasets) AS name',
  class: 'SELECT unnest(u.classes) AS name',
  model: 'SELECT u.model AS name WHERE u.model IS NOT NULL',
}

/**
 * Who touched which data, how often, and how much came back. Taken from the counts, not from the
 * log. Rejects with a `StoreError`.
 */
export async function usageOf(store: Queryable, filter: UsageFilter): Promise<UsageReport> {
  const { by, from, to, subject, resource, dataset, class: classed, model } = filter
  const step = stepFor(from, to)
  const usage = await store.query<Usage>(
    `WITH counted AS MATERIALIZED (
       SELECT n.name, u.*, ${by === 'model' ? 'u.runs' : 'u.actions'} AS acted
       FROM sallyport.usage_hours u
       CROSS JOIN LATERAL (${names[by]}) n
       WHERE u.hour >= date_bin('1 hour', $1::timestamptz, 'epoch') AND u.hour < $2
         AND ($3::text IS NULL OR u.subject = $3) AND ($4::text IS NULL OR u.resource = $4)
         AND ($5::text IS NULL OR u.datasets @> ARRAY[$5]) AND ($6::text IS NULL OR u.classes @> ARRAY[$6])
         AND ($7::text IS NULL OR u.model = $7)),
     ranked AS (
       SELECT name, row_number() OVER (ORDER BY sum(acted) DESC, name) AS rank FROM counted GROUP BY name)
     SELECT CASE WHEN r.rank <= $8 THEN c.name END AS name,
            date_bin(make_interval(secs => $9), c.hour, 'epoch') AS at,
            sum(acted)::float8 AS actions, sum(denied)::float8 AS denied, sum(held)::float8 AS held,
            sum(runs)::float8 AS runs, sum(rows)::float8 AS rows, sum(bytes)::float8 AS bytes,
            sum(tokens_in)::float8 AS tokens_in, sum(tokens_out)::float8 AS tokens_out,
            sum(tokens_cached)::float8 AS tokens_cached
     FROM counted c
     JOIN ranked r ON r.name IS NOT DISTINCT FROM c.name
     GROUP BY 1, 2
     ORDER BY 2, 1`,
    [
      ...[from, to, subject ?? null, resource ?? null, dataset ?? null],
      ...[classed ?? null, model ?? null, namesShown, step],
    ],
  )
  return { step, countedUntil: await countedUntil(store), usage }
}

async function countedUntil(store: Queryable): Promise<Date | null> {
  const [row] = await store.query<{ until: Date | null }>(
    `SELECT CASE WHEN p.next >= t.size THEN t.turn_at ELSE p.newest END AS until
     FROM sallyport.usage_progress p, sallyport.audit_tree t`,
  )
  return row!.until
}

/** A subject touched something for the first time. */
export interface FirstUse {
  readonly at: Date
  readonly issuer: string
  readonly subject: string
  readonly resource: string
  /** `table public.orders`, `dataset customers`, `class pii`. */
  readonly item: string
  readonly action: string
}

/** The first uses between two times, newest first. */
export function firstUsesBetween(
  store: Queryable,
  { from, to, subject, resource }: Pick<UsageFilter, 'from' | 'to' | 'subject' | 'resource'>,
  limit = 100,
): Promise<readonly FirstUse[]> {
  return store.query<FirstUse>(
    `SELECT at, issuer, subject, resource, item, action
     FROM sallyport.usage_first
     WHERE at >= $1 AND at < $2 AND ($3::text IS NULL OR subject = $3) AND ($4::text IS NULL OR resource = $4)
     ORDER BY at DESC, subject, resource, item
     LIMIT $5`,
    [from, to, subject ?? null, resource ?? null, limit],
  )
}
