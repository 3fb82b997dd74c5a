import type { Queryable } from '../store/db.ts'
import type { Epoch } from '../store/lease.ts'
import { firstIdAt } from './event-id.ts'

/** A part of the log: the events behind the id `after`, up to and including the id `upTo`. */
export interface Stretch {
  readonly after: string
  readonly upTo: string
}

const stretchLength = 10_000
// How far a replica's estimate of the database's clock may be off.
const slackMs = 60_000

/**
 * The log during an epoch, the latest part first, in parts that one statement looks through
 * quickly.
 */
export async function* stretchesOf(store: Queryable, dead: Epoch): AsyncGenerator<Stretch> {
  const [life] = await store.query<{ begin: Date; end: Date }>(
    `SELECT started_at - $3 * interval '1 ms' AS begin, clock_timestamp() + $3 * interval '1 ms' AS end
     FROM sallyport.replicas WHERE replica = $1 AND epoch = $2`,
    [dead.replica, dead.epoch, slackMs],
  )
  if (!life) return
  const begin = firstIdAt(life.begin)
  let upTo: string | null = firstIdAt(life.end)
  while (upTo) {
    const after: string | null = await goBack(store, upTo, begin)
    yield { after: after ?? begin, upTo }
    upTo = after
  }
}

async function goBack(store: Queryable, from: string, begin: string): Promise<string | null> {
  const [event] = await store.query<{ id: string }>(
    `SELECT id FROM sallyport.audit_events
     WHERE id <= $1 AND id >= $2
     ORDER BY id DESC
     OFFSET $3 LIMIT 1`,
    [from, begin, stretchLength],
  )
  return event?.id ?? null
}
