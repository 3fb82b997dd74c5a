import type { Queryable, Store } from '../store/db.ts'
import { asItIs, isUnreadable } from './as-it-is.ts'
import type { EventRow, ExportedEvent } from './exported.ts'
import { wordsOf } from './search/conditions.ts'
import { listSegments, PlaceFinder, readIdsAt, type At } from './search/places.ts'

/** An event in whose place somebody put something else. */
export interface UnreadableEvent {
  readonly id: string
  /** Of this action, as far as the database says beside it. */
  readonly action: string | null
}

/** That are looked at; segments of words at once. */
const most = 1_000
const atOnce = 512
const ever = {
  from: '00000000-0000-0000-0000-000000000000',
  before: 'ffffffff-ffff-ffff-ffff-ffffffffffff',
}

/**
 * What nobody can read among the events of a run; what was of it when its words were taken, and
 * cannot be read any more; and what was found to be unreadable among the events of its time,
 * whosever that was.
 */
export async function unreadableOfRun(
  store: Store,
  trace: string,
  events: readonly ExportedEvent[],
): Promise<UnreadableEvent[]> {
  const garbled = events.filter(isUnreadable).map(({ id }) => id)
  const known = events.flatMap((event) => (isUnreadable(event) ? [] : event.id))
  const others = await store.tx(async (tx) => {
    // Segments are put together meanwhile: nothing is to be missed between two of these queries.
    await tx.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY')
    return [...(await hadTrace(tx, trace)), ...(await foundAmong(tx, known.toSorted()))]
  })
  const unreadable: UnreadableEvent[] = []
  const sought = new Set([...garbled, ...others])
  for (const id of known) sought.delete(id)
  // One after the other: whoever put them there chose how long they are.
  for (const id of sought) {
    const one = await ifUnreadable(store, id)
    if (one) unreadable.push(one)
  }
  return unreadable
}

/** By the words that they had, the newest first. */
async function hadTrace(db: Queryable, trace: string): Promise<string[]> {
  const finder = new PlaceFinder(db, wordsOf({ trace }))
  const segments = await listSegments(db, ever)
  const found: At[] = []
  for (let done = 0; done < segments.length && found.length < most; done += atOnce) {
    const some = segments.slice(done, done + atOnce)
    const places = await finder.find(some)
    for (const segment of some) {
      const inIt = places.get(segment.first) ?? []
      // Whose words are built again: what is unreadable in it is found then.
      if (inIt === 'all') continue
      found.push(...inIt.toReversed().map((place) => ({ segment, place })))
    }
  }
  return readIdsAt(db, found.slice(0, most))
}

/** Between the first and the last of these, which are in order. */
async function foundAmong(db: Queryable, known: readonly string[]): Promise<string[]> {
  if (known.length === 0) return []
  const rows = await db.query<{ id: string }>(
    `SELECT event AS id FROM sallyport.unreadable_events
      WHERE event BETWEEN $1 AND $2 ORDER BY event LIMIT ${most}`,
    [known[0], known.at(-1)],
  )
  return rows.map(({ id }) => id)
}

async function ifUnreadable(store: Store, id: string): Promise<UnreadableEvent | null> {
  const [row] = await store.query<EventRow & { readonly action: string | null }>(
    `SELECT id, action, body, salt, personal, replica, epoch, n, NULL::bytea AS prev, NULL::bytea AS hash
       FROM sallyport.audit_events WHERE id = $1`,
    [id],
  )
  return row && isUnreadable(asItIs(row)) ? { id, action: row.action } : null
}
