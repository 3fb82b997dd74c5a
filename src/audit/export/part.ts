import type { Queryable } from '../../store/db.ts'
import type { EventRow } from '../exported.ts'
import { readEvents, type StoredEvent } from './events.ts'
import { readStretches, type Part, type Stretch } from './stretches.ts'

export interface Page {
  readonly rows: readonly EventRow[]
  /** By id, the bytes of long events, of which only the hashes are here. */
  readonly long: ReadonlyMap<string, number>
  /** Where to go on; `null` at the end. */
  readonly next: number | null
}

/**
 * Up to `count` events of a part, plus at most a stretch, in the order of the log: from the stretch
 * at `first`, or from the next one whose links are there.
 */
export async function readPart(store: Queryable, part: Part, count: number): Promise<Page> {
  const stretches = await readStretches(store, part, count)
  const last = stretches.at(-1)
  if (!last) return { rows: [], long: new Map(), next: null }
  const events = await readEvents(
    store,
    stretches.flatMap(({ ids }) => ids),
  )
  const long = [...events.values()].filter(({ body }) => body === null)
  return {
    rows: stretches.flatMap((stretch) => rowsOf(stretch, events)),
    long: new Map(long.map(({ id, size }) => [id, size])),
    // Where somebody has removed links, the log goes on after them. Verifying names what is
    // missing.
    next: last.start + 1,
  }
}

function rowsOf(
  { start, replica, epoch, first, ids, leaves, prev, hashes }: Stretch,
  events: ReadonlyMap<string, StoredEvent>,
): EventRow[] {
  let before = prev
  return ids.map((id, at) => {
    const { body = null, salt = null, personal = null } = events.get(id) ?? {}
    const linkedTo = before
    const hash = hashAt(hashes, at)
    before = hash
    return {
      index: start + at,
      id,
      body,
      salt,
      personal,
      replica,
      epoch,
      n: first + at,
      prev: linkedTo,
      hash,
      leaf: body === null ? hashAt(leaves, at) : null,
    }
  })
}

function hashAt(hashes: Buffer, at: number): Buffer {
  return hashes.subarray(32 * at, 32 * at + 32)
}
