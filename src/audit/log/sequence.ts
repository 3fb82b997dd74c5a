import type { Queryable, Store } from '../../store/db.ts'
import type { Epoch } from '../../store/lease.ts'
import { CompactRange } from './merkle.ts'
import { writeTiles } from './tiles.ts'

/** The log as it is in the database. */
export interface Tree {
  readonly origin: string
  readonly size: number
  readonly root: Buffer
}

interface Pending extends Epoch {
  readonly first: number
  readonly next: number
  readonly leaves: Buffer
  /** The link of its chain that the tree has to go on with. */
  readonly expected: number
}

/** Stretches that are taken in together. */
const mostAtOnce = 1_000

/**
 * Takes committed links into the log, each chain in its order. One replica at a time has the turn: the row that it locks is the fence, and a process that slept
 * on it has lost its transaction, so nothing that it still wants to add can be added. Resolves to the tree as it is then, `null` when another replica had
 * a turn within `sinceMs`, or has it now.
 */
export async function takeTurn(store: Store, sinceMs: number): Promise<Tree | null> {
  for (;;) {
    const turn = await store.tx((tx) => grow(tx, sinceMs))
    if (!turn?.more) return turn?.tree ?? null
    sinceMs = 0
  }
}

async function grow(tx: Queryable, sinceMs: number) {
  const [state] = await tx.query<{ origin: string; size: number; subtrees: Buffer }>(
    `SELECT origin, size, subtrees FROM sallyport.audit_tree
     WHERE turn_at <= clock_timestamp() - $1 * interval '1 ms'
     FOR UPDATE ${sinceMs > 0 ? 'SKIP LOCKED' : ''}`,
    [sinceMs],
  )
  if (!state) return null
  const { origin, size } = state
  const range = new CompactRange(0, size, split(state.subtrees))
  const pending = await readPending(tx)
  const stretches = inOrder(pending)
  const leaves = stretches.flatMap((stretch) => split(stretch.leaves))
  for (const leaf of leaves) range.append(leaf)
  if (stretches.length > 0) {
    await insertStretches(tx, size, stretches)
    await writeTiles(tx, size, leaves)
  }
  await tx.query(
    `UPDATE sallyport.audit_tree SET size = $1, subtrees = $2, turn_at = clock_timestamp()`,
    [range.end, Buffer.concat(range.hashes)],
  )
  const tree: Tree = { origin, size: range.end, root: range.root() }
  return { tree, more: pending.length === mostAtOnce && stretches.length > 0 }
}

function split(hashes: Buffer): Buffer[] {
  return Array.from({ length: hashes.length / 32 }, (_, i) => hashes.subarray(32 * i, 32 * (i + 1)))
}

/** Links that are durable and not in the tree yet. A chain that ended more than a minute ago, and is whole in the tree, is not looked at any more. */
function readPending(tx: Queryable): Promise<Pending[]> {
  return tx.query<Pending>(
    `WITH open AS (
       SELECT r.replica, r.epoch, coalesce(c.next, 1) AS next,
              r.closed_at < clock_timestamp() - interval '1 minute' AS over
       FROM sallyport.replicas r
       LEFT JOIN sallyport.audit_tree_chains c USING (replica, epoch)
       WHERE c.ended IS NOT TRUE),
     pending AS (
       SELECT l.replica, l.epoch, l.first, l.first + cardinality(l.events) AS next, l.leaves,
              o.next AS expected, l.linked_at
       FROM open o
       CROSS JOIN LATERAL (SELECT * FROM sallyport.audit_links l
                           WHERE l.replica = o.replica AND l.epoch = o.epoch AND l.first >= o.next
                           ORDER BY l.first LIMIT ${mostAtOnce}) l
       ORDER BY l.linked_at, l.replica, l.epoch, l.first
       LIMIT ${mostAtOnce}),
     ended AS (
       INSERT INTO sallyport.audit_tree_chains (replica, epoch, next, ended)
       SELECT replica, epoch, next, true FROM open o
       WHERE over AND NOT EXISTS (SELECT FROM sallyport.audit_links l
                                  WHERE l.replica = o.replica AND l.epoch = o.epoch AND l.first >= o.next)
       ON CONFLICT (replica, epoch) DO UPDATE SET ended = true)
     SELECT replica, epoch, first, next, leaves, expected FROM pending
     ORDER BY linked_at, replica, epoch, first`,
  )
}

/**
 * Those that continue their chains. What does not waits for what is missing: behind a link that somebody took away nothing is taken in, and the log
 * stays behind for all to see.
 */
function inOrder(pending: readonly Pending[]): Pending[] {
  const expected = new Map<string, number>()
  return pending.filter(({ replica, epoch, first, next, expected: begin }) => {
    const chain = `${replica} ${epoch}`
    if (first !== (expected.get(chain) ?? begin)) return false
    expected.set(chain, next)
    return true
  })
}

async function insertStretches(
  tx: Queryable,
  size: number,
  stretches: readonly Pending[],
): Promise<void> {
  let start = size
  const starts = stretches.map(({ first, next }) => {
    const at = start
    start += next - first
    return at
  })
  await tx.query(
    `WITH added AS (
       SELECT * FROM unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[])
         AS s (start, replica, epoch, first, next)),
     stretches AS (
       INSERT INTO sallyport.audit_tree_stretches (start, replica, epoch, first, count)
       SELECT start, replica, epoch, first, next - first FROM added)
     INSERT INTO sallyport.audit_tree_chains (replica, epoch, next)
     SELECT replica, epoch, max(next) FROM added GROUP BY replica, epoch
     ON CONFLICT (replica, epoch) DO UPDATE SET next = excluded.next`,
    [
      starts,
      stretches.map(({ replica }) => replica),
      stretches.map(({ epoch }) => epoch),
      stretches.map(({ first }) => first),
      stretches.map(({ next }) => next),
    ],
  )
}
