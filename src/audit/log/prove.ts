import { Problem } from '../../core/errors.ts'
import type { Queryable } from '../../store/db.ts'
import { timeOf } from '../event-id.ts'
import { cover, type Node } from './merkle.ts'
import { consistencyProof, inclusionProof, type NodeHash } from './proof.ts'
import { readNodes } from './tiles.ts'

/** The index of an event in the log; `null` while it has none, or if there is no such event. */
export async function indexOf(store: Queryable, event: string): Promise<number | null> {
  const [row] = await store.query<{ index: number }>(
    `SELECT s.start + l.n - s.first AS index
     FROM sallyport.audit_log l
     CROSS JOIN LATERAL (SELECT start, first, count FROM sallyport.audit_tree_stretches
                         WHERE replica = l.replica AND epoch = l.epoch AND first <= l.n
                         ORDER BY first DESC LIMIT 1) s
     WHERE l.id = $1 AND l.n < s.first + s.count`,
    [event],
  )
  return row?.index ?? indexOfGone(store, event)
}

/**
 * The same for an event whose month is kept elsewhere. Only its link is left, and links are found
 * by time. One that came into the log more than an hour after it happened is not found here; the
 * export that has it tells its index.
 */
async function indexOfGone(store: Queryable, event: string): Promise<number | null> {
  const at = timeOf(event)
  if (at === null) return null
  const [row] = await store.query<{ index: number }>(
    `SELECT s.start + array_position(l.events, $1::uuid) - 1 AS index
     FROM sallyport.audit_tree_stretches s
     JOIN sallyport.audit_links l USING (replica, epoch, first)
     WHERE s.sequenced_at BETWEEN $2::timestamptz - interval '1 hour' AND $2::timestamptz + interval '1 hour'
       AND $1::uuid = ANY (l.events)
     LIMIT 1`,
    [event, at],
  )
  return row?.index ?? null
}

/**
 * Proves that leaf `index` is in the tree of the first `size` leaves (RFC 6962 §2.1.1). Rejects
 * with the problem `bad-request` when it cannot be.
 */
export async function proveInclusion(
  store: Queryable,
  index: number,
  size: number,
): Promise<Buffer[]> {
  await requireSize(store, size)
  if (index >= size)
    throw new Problem('bad-request', `Leaf ${index} is not among the first ${size}.`)
  return prove(store, (hashOf) => inclusionProof(index, size, hashOf))
}

/**
 * Proves that the tree of the first `size` leaves begins with that of the first `older` (RFC 6962
 * §2.1.2).
 */
export async function proveConsistency(
  store: Queryable,
  older: number,
  size: number,
): Promise<Buffer[]> {
  await requireSize(store, size)
  if (older > size) throw new Problem('bad-request', `${older} leaves are more than ${size}.`)
  return prove(store, (hashOf) => consistencyProof(older, size, hashOf))
}

/** The hashes of the subtrees that cover the leaves from `begin` up to and without `end`. */
export async function readCover(store: Queryable, begin: number, end: number): Promise<Buffer[]> {
  const nodes = cover(begin, end)
  return nodes.map(await readNodes(store, nodes))
}

/** Runs a proof twice: once to learn which subtrees it needs, and once with their hashes. */
async function prove(store: Queryable, proof: (hashOf: NodeHash) => Buffer[]): Promise<Buffer[]> {
  const nodes: Node[] = []
  const unknown = Buffer.alloc(32)
  proof((node) => {
    nodes.push(node)
    return unknown
  })
  return proof(await readNodes(store, nodes))
}

async function requireSize(store: Queryable, size: number): Promise<void> {
  // What was signed can be proven while its hashes are there, even if somebody has cut off the end
  // of the log.
  const [tree] = await store.query<{ size: number }>(
    `SELECT greatest(size, (SELECT max(size) FROM sallyport.audit_checkpoints)) AS size
     FROM sallyport.audit_tree`,
  )
  if (size > tree!.size) {
    throw new Problem('bad-request', `The log has ${tree!.size} events, and not ${size}.`)
  }
}
