import { StoreError, type Queryable, type Store } from '../store/db.ts'

/** Roughly how many events one transaction takes in. */
const mostAtOnce = 5_000

/** A part of the log, from index `first` up to and without `end`. */
interface Part {
  readonly first: number
  readonly end: number
}

/**
 * Counts the next events of the transparency log, in its order. One replica at a time does so: the
 * row that says how far counting has come is locked, and moves in the transaction that counts, so
 * that nothing is lost or counted twice, wherever a replica stops. `onUnreadable` is told, before
 * the commit, of events that cannot be counted because somebody put something else in their place.
 * They are left out, and noted where `recentRuns` finds them. Resolves to whether there may be
 * more. Rejects with a `StoreError`.
 */
export async function countNext(
  store: Store,
  onUnreadable: (event: string) => void = () => undefined,
): Promise<boolean> {
  try {
    return await takeNext(store, count)
  } catch (error) {
    if (!isAboutValues(error)) throw error
    return takeNext(store, (tx, part) => countWhatCanBe(tx, part, part, onUnreadable))
  }
}

function takeNext(
  store: Store,
  take: (tx: Queryable, part: Part) => Promise<unknown>,
): Promise<boolean> {
  return store.tx(async (tx) => {
    const [progress] = await tx.query<{ next: number }>(
      `SELECT next::float8 AS next FROM sallyport.usage_progress FOR UPDATE SKIP LOCKED`,
    )
    if (!progress) return false
    const [end] = await tx.query<{ end: number | null }>(
      `SELECT max(start + count)::float8 AS end
       FROM (SELECT start, count, sum(count) OVER (ORDER BY start) AS sum
             FROM (SELECT start, count FROM sallyport.audit_tree_stretches
                   WHERE start >= $1 ORDER BY start LIMIT ${mostAtOnce}) s) s
       WHERE sum <= ${mostAtOnce} OR start = $1`,
      [progress.next],
    )
    if (!end || end.end === null) return false
    await take(tx, { first: progress.next, end: end.end })
    return true
  })
}

/**
 * Whether the error is about a value: none of its type (class 22), or too long or too deep (class
 * 54; PostgreSQL documentation, appendix A).
 */
function isAboutValues(error: unknown): boolean {
  return error instanceof StoreError && /^(?:22|54)/.test(error.code)
}

/**
 * Counts by halves, down to each event that cannot be counted. Only the database can tell which
 * those are.
 */
async function countWhatCanBe(
  tx: Queryable,
  part: Part,
  within: Part,
  onUnreadable: (event: string) => void,
): Promise<void> {
  await tx.query('SAVEPOINT part')
  try {
    await count(tx, part, within)
    await tx.query('RELEASE part')
    return
  } catch (error) {
    if (!isAboutValues(error)) throw error
    await tx.query('ROLLBACK TO part')
    await tx.query('RELEASE part')
  }
  const { first, end } = part
  if (end - first === 1) {
    onUnreadable(await passOver(tx, first, within))
    return
  }
  const middle = Math.floor((first + end) / 2)
  await countWhatCanBe(tx, { first, end: middle }, within, onUnreadable)
  await countWhatCanBe(tx, { first: middle, end }, within, onUnreadable)
}

/** Leaves out the event at an index, and resolves to its id. */
async function passOver(tx: Queryable, index: number, within: Part): Promise<string> {
  const [passed] = await tx.query<{ event: string }>(
    `WITH passed AS (
       SELECT l.events[$1 - s.start + 1] AS event
       FROM sallyport.audit_tree_stretches s
       JOIN sallyport.audit_links l USING (replica, epoch, first)
       WHERE s.start >= $2 AND s.start < $3 AND $1 >= s.start AND $1 < s.start + s.count),
     noted AS (INSERT INTO sallyport.unreadable_events (event) SELECT event FROM passed ON CONFLICT DO NOTHING),
     done AS (UPDATE sallyport.usage_progress SET next = $1 + 1)
     SELECT event FROM passed`,
    [index, within.first, within.end],
  )
  return passed!.event
}

/** `cameToSomething` for an `outcome`, in SQL. */
const cameToSomething = `(outcome ->> 'result' <> 'failed' OR coalesce((outcome ->> 'rows')::numeric > 0, false)
  OR coalesce((outcome ->> 'bytes')::numeric > 0 AND (outcome ->> 'status')::int < 400, false))`

/**
 * Counts a part of the log. An action is counted with its decision or, where it had none of its own
 * (under a grant, or by the gateway itself), when it is sent. That event says who did it, and
 * another what came of it. `within`: the stretches of the log that the part lies in. OFFSET 0 makes
 * the planner look each event up by its id; left alone, it would read the whole log.
 */
function count(tx: Queryable, part: Part, within = part): Promise<unknown> {
  return tx.query(
    `WITH happened AS MATERIALIZED (
       SELECT e.id, e.time, e.type, e.action, e.resource, e.decision, e.issuer, e.subject,
              convert_from(e.body, 'UTF8')::jsonb AS body
       FROM sallyport.audit_tree_stretches s
       CROSS JOIN LATERAL (SELECT link.id, s.start + link.place - 1 AS index
                           FROM sallyport.audit_links l
                           CROSS JOIN unnest(l.events) WITH ORDINALITY AS link (id, place)
                           WHERE (l.replica, l.epoch, l.first) = (s.replica, s.epoch, s.first) OFFSET 0) u
       CROSS JOIN LATERAL (SELECT * FROM sallyport.audit_events e WHERE e.id = u.id OFFSET 0) e
       WHERE s.start >= $1 AND s.start < $2 AND u.index >= $3 AND u.index < $4 AND e.action IS NOT NULL
         AND e.type IN ('action.decided', 'action.dispatched', 'action.completed')),
     counted AS MATERIALIZED (
       SELECT h.id, h.time, h.action, h.resource, h.body -> 'usage' AS usage, h.body -> 'outcome' AS outcome,
              CASE WHEN h.type = 'action.completed' THEN d.issuer ELSE h.issuer END AS issuer,
              CASE WHEN h.type = 'action.completed' THEN d.subject ELSE h.subject END AS subject,
              (h.type <> 'action.completed')::int AS actions,
              (h.decision = 'deny' AND h.type = 'action.decided' AND NOT h.body ? 'enforced')::int AS denied,
              (h.decision = 'hold' AND h.type = 'action.decided' AND NOT h.body ? 'enforced')::int AS held
       FROM happened h
       LEFT JOIN LATERAL (
         SELECT e.issuer, e.subject FROM sallyport.audit_events e
         WHERE h.type = 'action.completed' AND e.action = h.action
           AND e.type IN ('action.decided', 'action.dispatched')
         ORDER BY e.id LIMIT 1) d ON true
       WHERE h.type <> 'action.dispatched' OR (
         SELECT e.id FROM sallyport.audit_events e
         WHERE e.action = h.action AND e.type = 'action.decided' LIMIT 1) IS NULL),
     named AS MATERIALIZED (
       SELECT *, date_bin('1 hour', time, 'epoch') AS hour, sallyport.usage_who(issuer, subject) AS who,
              ARRAY(SELECT jsonb_array_elements_text(usage -> 'datasets')) AS datasets,
              ARRAY(SELECT jsonb_array_elements_text(usage -> 'classes')) AS classes,
              usage ->> 'model' AS model,
              coalesce((outcome ->> 'rows')::numeric, 0) AS rows,
              coalesce((outcome ->> 'bytes')::numeric, 0) AS bytes,
              coalesce((usage ->> 'tokens_in')::numeric, 0) AS tokens_in,
              coalesce((usage ->> 'tokens_out')::numeric, 0) AS tokens_out,
              coalesce((usage ->> 'tokens_cached')::numeric, 0) AS tokens_cached
       FROM counted),
     hours AS (
       INSERT INTO sallyport.usage_hours AS u
         (hour, key, who, issuer, subject, resource, datasets, classes, model, actions, denied, held, runs,
          rows, bytes, tokens_in, tokens_out, tokens_cached)
       SELECT hour, sallyport.usage_key(issuer, subject, resource, datasets, classes, model), who, issuer, subject, resource,
              datasets, classes, model, sum(actions), sum(coalesce(denied, 0)), sum(coalesce(held, 0)), sum(1 - actions),
              sum(rows), sum(bytes), sum(tokens_in), sum(tokens_out), sum(tokens_cached)
       FROM named
       GROUP BY hour, who, issuer, subject, resource, datasets, classes, model
       ON CONFLICT (hour, key) DO UPDATE SET
         actions = u.actions + excluded.actions, denied = u.denied + excluded.denied, held = u.held + excluded.held,
         runs = u.runs + excluded.runs, rows = u.rows + excluded.rows, bytes = u.bytes + excluded.bytes,
         tokens_in = u.tokens_in + excluded.tokens_in, tokens_out = u.tokens_out + excluded.tokens_out,
         tokens_cached = u.tokens_cached + excluded.tokens_cached),
     firsts AS (
       INSERT INTO sallyport.usage_first (who, resource, item, issuer, subject, at, action)
       SELECT DISTINCT ON (who, resource, item) who, resource, item, issuer, subject, time, action
       FROM named
       CROSS JOIN LATERAL (
         SELECT 'table ' || jsonb_array_elements_text(usage -> 'tables') AS item
         UNION ALL SELECT 'dataset ' || unnest(datasets)
         UNION ALL SELECT 'class ' || unnest(classes)) items
       WHERE actions = 0 AND subject IS NOT NULL AND resource IS NOT NULL AND ${cameToSomething}
       ORDER BY who, resource, item, time, id
       ON CONFLICT (who, resource, item) DO NOTHING)
     UPDATE sallyport.usage_progress
     SET next = $4, newest = coalesce((SELECT max(time) FROM happened), newest)`,
    [within.first, within.end, part.first, part.end],
  )
}
