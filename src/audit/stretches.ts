import type { Queryable } from '../store/db.ts'
import type { Epoch } from '../store/lease.ts'

interface Position {
  readonly time: Date
  readonly id: string
}

/** A part of the log: the events behind `after`, up to and including `upTo`, by time and id. */
export interface Stretch {
  readonly after: Position
  readonly upTo: Position
}

const stretchLength = 10_000
// How far a replica's estimate of the database's clock may be off.
const slackMs = 60_000
const firstId = '00000000-0000-0000-0000-000000000000'
const lastId = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

/** The log during an epoch, the latest part first, in parts that one statement looks through quickly. */
export async function* stretchesOf(store: Queryable, dead: Epoch): AsyncGenerator<Stretch> {
  const [life] = await store.query<{ begin: Date; end: Date }>(
    `SELECT started_at - $3 * interval '1 ms' AS begin, clock_timestamp() + $3 * interval '1 ms' AS end
     FROM sallyport.replicas WHERE replica = $1 AND epoch = $2`,
    [dead.replica, dead.epoch, slackMs],
  )
  if (!life) return
  const begin = { time: life.begin, id: firstId }
  let upTo: Position | null = { time: life.end, id: lastId }
  while (upTo) {
    const after: Position | null = await goBack(store, upTo, begin)
    yield { after: after ?? begin, upTo }
    upTo = after
  }
}

async function goBack(store: Queryable, from: Position, begin: Position): Promise<Position | null> {
  const [position] = await store.query<{ time: Date; id: string }>(
    `SELECT time, id FROM sallyport.audit_events
     WHERE (time, id) <= ($1::timestamptz, $2::uuid) AND time >= $3
     ORDER BY time DESC, id DESC
     OFFSET $4 LIMIT 1`,
    [from.time, from.id, begin.time, stretchLength],
  )
  return position ?? null
}
