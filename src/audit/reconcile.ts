import type { EventInput } from '../core/event.ts'
import type { Queryable, Store } from '../store/db.ts'
import type { Epoch } from '../store/lease.ts'
import { genesis, leafHash, linkHash } from './chain.ts'
import type { Described } from './event.ts'
import { readHead } from './links.ts'
import { insertBatch, insertUnlinked } from './rows.ts'
import { stretchesOf, type Stretch } from './stretches.ts'

type Describe = (input: EventInput) => Described

/**
 * Ends the record of a dead epoch. Every intent in it without an outcome gets the outcome
 * `unknown`: it may have run, and is never retried. Then the chain gets a last link, which also
 * keeps its replica from adding more, in case that was only asleep. Resolves to the ids of the lost
 * actions. If several replicas try at once, one succeeds.
 */
export async function buryEpoch(store: Store, dead: Epoch, describe: Describe): Promise<string[]> {
  const lost: string[] = []
  for await (const stretch of stretchesOf(store, dead)) {
    const found = await store.tx(async (tx) => {
      if (!(await lockUnburied(tx, dead))) return null
      const intents = await readOpenIntents(tx, dead, stretch)
      await insertUnlinked(
        tx,
        intents.map((intent) => describe(unknownOutcome(intent))),
      )
      return intents.map(({ action }) => action)
    })
    if (!found) return lost
    lost.push(...found)
  }
  await store.tx(async (tx) => {
    if (!(await lockUnburied(tx, dead))) return
    await endChain(tx, dead, describe({ type: 'gateway.stopped', reason: 'lease-lost' }))
    await tx.query(
      `UPDATE sallyport.replicas SET closed_at = clock_timestamp()
       WHERE replica = $1 AND epoch = $2`,
      [dead.replica, dead.epoch],
    )
  })
  return lost
}

/** Resolves to `false` if it has been buried, or another replica is doing so. */
async function lockUnburied(tx: Queryable, { replica, epoch }: Epoch): Promise<boolean> {
  const locked = await tx.query(
    `SELECT FROM sallyport.replicas
     WHERE replica = $1 AND epoch = $2 AND closed_at IS NULL
     FOR UPDATE SKIP LOCKED`,
    [replica, epoch],
  )
  return locked.length === 1
}

interface OpenIntent {
  readonly action: string
  readonly body: Buffer
}

function readOpenIntents(
  tx: Queryable,
  { replica, epoch }: Epoch,
  { after, upTo }: Stretch,
): Promise<OpenIntent[]> {
  return tx.query<OpenIntent>(
    `SELECT DISTINCT ON (e.action) e.action, e.body
     FROM sallyport.audit_events e
     WHERE e.id > $3 AND e.id <= $4
       AND e.replica = $1 AND e.epoch = $2
       AND (e.type = 'action.dispatched' OR e.type = 'action.decided'
            AND (e.decision = 'allow' OR convert_from(e.body, 'UTF8')::jsonb -> 'enforced' = 'false'))
       AND NOT EXISTS (SELECT FROM sallyport.audit_events c
                       WHERE c.action = e.action AND c.type = 'action.completed')
     ORDER BY e.action, e.id`,
    [replica, epoch, after, upTo],
  )
}

function unknownOutcome({ body }: OpenIntent): EventInput {
  const { action, resource, effect, approval, trace } = JSON.parse(body.toString()) as EventInput
  const outcome = { result: 'unknown' } as const
  return { type: 'action.completed', action, resource, effect, approval, trace, outcome }
}

async function endChain(tx: Queryable, chain: Epoch, last: Described): Promise<void> {
  const { n, hash: prev } = (await readHead(tx, chain)) ?? { n: 0, hash: genesis }
  const first = n + 1
  const leaf = leafHash(last.body)
  const hash = linkHash({ ...chain, n: first }, prev, leaf)
  const events = [{ id: last.id, described: last, leaf, hash }]
  await insertBatch(tx, { chain, first, prev, events, under: null })
}
