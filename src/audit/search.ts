import { Problem } from '../core/errors.ts'
import type { Queryable, Store } from '../store/db.ts'
import { firstIdAt } from './event-id.ts'
import { asItIs } from './as-it-is.ts'
import type { EventRow, ExportedEvent } from './exported.ts'
import {
  asWritten,
  conditionsOf,
  uuid,
  whereReadable,
  wordsOf,
  type EventFilter,
  type Place,
  type Reading,
  type Sought,
} from './search/conditions.ts'
import { asProblem, isAboutValues, tooMuch } from './search/problem.ts'
import { longest, textOf, type Recorded } from './search/lexemes.ts'
import { candidatesOf, lateWithoutWords, newestWithoutWords } from './search/candidates.ts'
import type { Bounds } from './search/places.ts'
import { occursIn, termsOf, unescaped, type Term } from './search/words.ts'

export type { EventFilter } from './search/conditions.ts'

export interface EventPage {
  readonly events: readonly ExportedEvent[]
  /** For the next page; `null` on the last one. */
  readonly cursor: string | null
}

/** Milliseconds that a search takes at most. */
const patience = 5_000
/** Bytes of events after which a page ends. Each event can have some megabytes. */
const mostBytes = 8 * 1024 * 1024

/**
 * Events that match, newest first: up to `limit`, or fewer where they are long. Rejects with the
 * problem `bad-request` for a foreign cursor, and for a search that would look through too much.
 */
export async function searchEvents(
  store: Store,
  filter: EventFilter,
  cursor: string | null = null,
  limit = 100,
): Promise<EventPage> {
  const before = cursor === null ? null : readCursor(cursor)
  const given = withoutNothing(filter)
  try {
    return await searchAs(store, asWritten, given, before, limit).catch((error: unknown) => {
      if (!isAboutValues(error)) throw error
      return searchAs(store, whereReadable, given, before, limit)
    })
  } catch (error) {
    throw asProblem(error)
  }
}

function searchAs(
  store: Store,
  reading: Reading,
  filter: EventFilter,
  before: string | null,
  limit: number,
): Promise<EventPage> {
  return store.tx(async (tx) => {
    // Segments may be merged meanwhile, and nothing must be missed between two of these queries.
    await tx.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY')
    // Everything that is looked up here has an index.
    await tx.query(
      `SELECT set_config('statement_timeout', $1, true), set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true), set_config('jit', 'off', true)`,
      [String(patience)],
    )
    const ids = await new Search(tx, reading, filter, before, limit).run()
    const rows = await readEvents(tx, ids)
    const last = rows.at(-1)
    return {
      events: rows.map(asItIs),
      cursor:
        last && (rows.length === limit || rows.length < ids.length) ? writeCursor(last) : null,
    }
  })
}

/** No id is less than `start`, and none is as great as the other. */
const start = '00000000-0000-0000-0000-000000000000'
const end = 'ffffffff-ffff-ffff-ffff-ffffffffffff'

interface Row extends Recorded {
  readonly id: string
}

/** One search, in its own transaction. */
class Search {
  readonly #db: Queryable
  readonly #reading: Reading
  readonly #filter: EventFilter
  readonly #before: string
  readonly #limit: number
  readonly #terms: readonly Term[]
  readonly #deadline = performance.now() + patience
  /** Ids that match, found so far. */
  readonly #found = new Set<string>()

  constructor(
    db: Queryable,
    reading: Reading,
    filter: EventFilter,
    before: string | null,
    limit: number,
  ) {
    this.#db = db
    this.#reading = reading
    this.#filter = filter
    this.#before = before ?? end
    this.#limit = limit
    this.#terms = termsOf(filter.q ?? '')
  }

  /** Ids of the events, the newest first. */
  async run(): Promise<string[]> {
    const words = wordsOf(this.#filter)
    if (!needsWords(this.#filter) || words.length === 0) {
      await this.#look(() => [], isOfFew(this.#filter))
    } else {
      await this.#lookUp(words)
    }
    return [...this.#found].toSorted().toReversed().slice(0, this.#limit)
  }

  async #lookUp(words: readonly Sought[]): Promise<void> {
    const since = await newestWithoutWords(this.#db)
    await this.#look((place) => [`e.id >= ${place(since)}`])
    const late = await lateWithoutWords(this.#db, since)
    if (late.length > 0) await this.#lookAt(late)
    for (const id of this.#terms.flatMap(({ text }) => (uuid.test(text) ? text : []))) {
      await this.#look((place) => [`${place(id)}::uuid IN (e.id, e.action, e.approval)`], true)
    }
    for await (const { ids, below } of candidatesOf(this.#db, words, this.#bounds(), this.#limit)) {
      await this.#lookAt(ids)
      if (this.#has(this.#limit, below)) return
    }
  }

  #bounds(): Bounds {
    const { from, to } = this.#filter
    const before = to ? firstIdAt(to) : end
    return {
      from: from ? firstIdAt(from) : start,
      before: before < this.#before ? before : this.#before,
    }
  }

  #lookAt(ids: readonly string[]): Promise<void> {
    return this.#look((place) => [`e.id = ANY (${place(ids)}::uuid[])`], true)
  }

  /**
   * Takes in the newest of these events that match. `few`: finds all of them first, and then the
   * newest.
   */
  async #look(also: (place: Place) => string[], few = false): Promise<void> {
    let before: string | null = this.#before
    for (let found = 0; before !== null && found < this.#limit;) {
      if (performance.now() > this.#deadline) throw tooMuch()
      const { sql, params } = this.#select(also, before)
      const rows: Row[] = await this.#db.query<Row>(
        `WITH e AS ${few ? '' : 'NOT '}MATERIALIZED (${sql}) SELECT * FROM e ORDER BY id DESC LIMIT ${this.#limit}`,
        params,
      )
      const matching = rows.filter((row) => this.#matches(row))
      for (const { id } of matching) this.#found.add(id)
      found += matching.length
      before = rows.length === this.#limit ? rows.at(-1)!.id : null
    }
  }

  #select(also: (place: Place) => string[], before: string) {
    const params: unknown[] = []
    const place = (value: unknown) => `$${params.push(value)}`
    const where = [
      ...also(place),
      ...conditionsOf(this.#filter, place, this.#reading),
      `e.id < ${place(before)}::uuid`,
    ]
    const { body, personal } = this.#reading
    const text = `${body} AS body, left(${personal}, ${longest}) AS personal`
    const columns = this.#terms.length > 0 ? `e.id, ${text}` : 'e.id'
    return {
      sql: `SELECT ${columns} FROM sallyport.audit_events e WHERE ${where.join(' AND ')}`,
      params,
    }
  }

  #matches(row: Row): boolean {
    if (this.#terms.length === 0) return true
    const text = unescaped(textOf(row))
    // Ids have columns of their own, and are not in the text.
    return this.#terms.every((term) => uuid.test(term.text) || occursIn(term, text))
  }

  #has(count: number, from: string): boolean {
    return [...this.#found].filter((id) => id >= from).length >= count
  }
}

/** Columns that have an index in the order of time. */
const columns = ['subject', 'resource', 'decision', 'reason', 'type']

/**
 * Whether one column in the order of time is not enough to find the events, so that words are
 * needed.
 */
function needsWords(filter: EventFilter): boolean {
  if (isOfFew(filter)) return false
  const asked = Object.keys(filter).filter((name) => name !== 'from' && name !== 'to')
  return asked.length > 1 || asked.some((name) => !columns.includes(name))
}

/** Whether it asks for one action or one approval, which have few events. */
function isOfFew({ action, approval }: EventFilter): boolean {
  return approval !== undefined || (action !== undefined && uuid.test(action))
}

/** The first of these events, as many as fit on a page. */
function readEvents(db: Queryable, ids: readonly string[]): Promise<EventRow[]> {
  return db.query<EventRow>(
    `SELECT e.id, e.body, e.salt, e.personal, e.replica, e.epoch, e.n, e.prev, e.hash
       FROM (SELECT id, sum(size) OVER (ORDER BY id DESC) - size AS before
               FROM (SELECT id, octet_length(body) + coalesce(octet_length(personal), 0) AS size
                       FROM sallyport.audit_events WHERE id = ANY ($1::uuid[])) sized) page
       JOIN sallyport.audit_log e USING (id)
      WHERE page.before < $2
      ORDER BY e.id DESC`,
    [ids, mostBytes],
  )
}

function withoutNothing(filter: EventFilter): EventFilter {
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined))
}

function writeCursor({ id }: { id: string }): string {
  return Buffer.from(id).toString('base64url')
}

function readCursor(cursor: string): string {
  const id = Buffer.from(cursor, 'base64url').toString()
  if (!uuid.test(id)) {
    throw new Problem('bad-request', 'This cursor is not one that a search here gave out.')
  }
  return id
}
