import type { Queryable, Store } from '../../store/db.ts'
import type { Epoch } from '../../store/lease.ts'
import { nextOfChain, openChains } from '../../store/open-chains.ts'
import { CompactRange, cover } from './merkle.ts'
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
}

/**
 * The tree in the database does not go on from what was signed. Nothing is taken into it, and
 * nothing is signed, before that is mended.
 */
export class ChangedTree extends Error {
  override readonly name = 'ChangedTree'
}

/** Stretches that are taken in together. */
const mostAtOnce = 1_000

/**
 * Takes committed links into the log, each chain in its order. One replica at a time has the turn:
 * the row that it locks is the fence, and a process that slept on it has lost its transaction, so
 * nothing that it still wants to add can be added. Resolves to the tree as it is then, `null` when
 * another replica had a turn within `sinceMs`, or has it now. Rejects with `StoreError`, and with
 * `ChangedTree`.
 */
export async function takeTurn(store: Store, sinceMs: number): Promise<Tree | null> {
  for (;;) {
    const turn = await store.tx((tx) => grow(tx, sinceMs))
    if (!turn?.more) return turn?.tree ?? null
    sinceMs = 0
  }
}

interface State {
  readonly origin: string
  readonly size: number
  readonly subtrees: Buffer
  /** The root that was signed for this size; `null` where nothing was. */
  readonly signed: Buffer | null
  /** The size of the largest tree that was signed; `null` where none was. */
  readonly newest: number | null
}

async function grow(tx: Queryable, sinceMs: number) {
  const [state] = await tx.query<State>(
    // A turn that is still to come was taken before somebody set the clock back.
    `SELECT origin, size, subtrees,
            (SELECT root FROM sallyport.audit_checkpoints c WHERE c.size = t.size) AS signed,
            (SELECT max(size) FROM sallyport.audit_checkpoints) AS newest
     FROM sallyport.audit_tree t
     WHERE turn_at <= clock_timestamp() - $1 * interval '1 ms' OR turn_at > clock_timestamp()
     FOR UPDATE OF t ${sinceMs > 0 ? 'SKIP LOCKED' : ''}`,
    [sinceMs],
  )
  if (!state) return null
  const { origin, size } = state
  const range = rangeOf(state)
  const stretches = await readPending(tx)
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
  return { tree, more: stretches.length === mostAtOnce }
}

/**
 * The tree so far. Throws `ChangedTree`. Closed: what does not go on from what was signed would be
 * signed for good.
 */
function rangeOf({ size, subtrees, signed, newest }: State): CompactRange {
  const hashes = split(subtrees)
  if (newest !== null && newest > size)
    throw new ChangedTree(
      `the tree has ${size} events, and ${newest} were signed: somebody cut off its end`,
    )
  const range = hashes.length === cover(0, size).length && new CompactRange(0, size, hashes)
  if (!range || (signed && !signed.equals(range.root())))
    throw new ChangedTree(
      `the tree of ${size} events is not the one that was signed: somebody changed it`,
    )
  return range
}

function split(hashes: Buffer): Buffer[] {
  return Array.from({ length: hashes.length / 32 }, (_, i) => hashes.subarray(32 * i, 32 * (i + 1)))
}

/**
 * Links that are durable and not in the tree yet, each chain in its order, whatever the clock says
 * of them. Behind a link that somebody took away nothing of its chain is taken in: that stays
 * behind for all to see, and the others go on. How far a chain is in the tree says the tree. A chain
 * that ended more than a minute ago, and is whole in it, is not looked at any more; one that goes on
 * is, whatever somebody noted about it.
 */
function readPending(tx: Queryable): Promise<Pending[]> {
  return tx.query<Pending>(
    `WITH open AS (
       SELECT r.replica, r.epoch, ${nextOfChain} AS next,
              r.closed_at < clock_timestamp() - interval '1 minute' AS over
       FROM ${openChains}),
     pending AS (
       SELECT o.replica, o.epoch, l.first, l.next, l.leaves, l.linked_at
       FROM open o
       CROSS JOIN LATERAL (
         SELECT first, next, leaves, max(linked_at) OVER chain AS linked_at,
                bool_and(first = expected) OVER chain AS follows
         FROM (SELECT first, next, leaves, linked_at, lag(next, 1, o.next) OVER (ORDER BY first) AS expected
               FROM (SELECT first, first + cardinality(events) AS next, leaves, linked_at
                     FROM sallyport.audit_links
                     WHERE replica = o.replica AND epoch = o.epoch AND first >= o.next
                     ORDER BY first LIMIT ${mostAtOnce}) l) l
         WINDOW chain AS (ORDER BY first)) l
       WHERE l.follows
       ORDER BY l.linked_at, o.replica, o.epoch, l.first
       LIMIT ${mostAtOnce}),
     ended AS (
       INSERT INTO sallyport.audit_tree_chains (replica, epoch, next, ended)
       SELECT replica, epoch, next, true FROM open o
       WHERE over AND NOT EXISTS (SELECT FROM sallyport.audit_links l
                                  WHERE l.replica = o.replica AND l.epoch = o.epoch AND l.first >= o.next)
       ON CONFLICT (replica, epoch) DO UPDATE SET ended = true)
     SELECT replica, epoch, first, next, leaves FROM pending
     ORDER BY linked_at, replica, epoch, first`,
  )
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
    `INSERT INTO sallyport.audit_tree_stretches (start, replica, epoch, first, count)
     SELECT start, replica, epoch, first, next - first
       FROM unnest($1::bigint[], $2::uuid[], $3::bigint[], $4::bigint[], $5::bigint[])
         AS s (start, replica, epoch, first, next)`,
    [
      starts,
      stretches.map(({ replica }) => replica),
      stretches.map(({ epoch }) => epoch),
      stretches.map(({ first }) => first),
      stretches.map(({ next }) => next),
    ],
  )
}
