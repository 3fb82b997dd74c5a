import { Problem } from '../core/errors.ts'
import type { Queryable, Store } from '../store/db.ts'
import { firstIdAt } from './event-id.ts'
import { toExported, type EventRow, type ExportedEvent } from './exported.ts'
import { findCandidates, inChunks, newestWithoutWords, tables } from './search/candidates.ts'
import { conditionsOf, uuid, wordsOf, type EventFilter, type Place } from './search/conditions.ts'
import { asProblem, tooMuch } from './search/problem.ts'
import { textOf, type Recorded } from './search/lexemes.ts'
import { occursIn, termsOf, type Term } from './search/words.ts'

export type { EventFilter } from './search/conditions.ts'

export interface EventPage {
  readonly events: readonly ExportedEvent[]
  /** For the page after this one; `null` when this is the last one. */
  readonly cursor: string | null
}

/** Milliseconds that a search takes at most. */
const patience = 5_000

/**
 * Events that match, the newest first, up to `limit` of them. Rejects with the problem `bad-request` for a cursor that is not ours, and for a search
 * that looks through too much.
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
    return await store.tx(async (tx) => {
      // An index is there for whatever is looked up here; the planner does not know what unpacking words costs.
      await tx.query(
        `SELECT set_config('statement_timeout', $1, true), set_config('enable_seqscan', 'off', true), set_config('jit', 'off', true)`,
        [String(patience)],
      )
      const ids = await new Search(tx, given, before, limit).run()
      const rows = await readEvents(tx, ids)
      const last = rows.at(-1)
      return {
        events: rows.map(toExported),
        cursor: last && rows.length === limit ? writeCursor(last) : null,
      }
    })
  } catch (error) {
    throw asProblem(error)
  }
}

/** No id is less, and none is as great. */
const start = '00000000-0000-0000-0000-000000000000'
const end = 'ffffffff-ffff-ffff-ffff-ffffffffffff'
const events = 'sallyport.audit_events e'
/** Events that are found and sorted in no time. */
const few = 5_000
/** Chunks that are found at a time. */
const most = 2_000

interface Row extends Recorded {
  readonly id: string
}

interface Plan {
  readonly 'QUERY PLAN': readonly [{ readonly Plan: { readonly 'Plan Rows': number } }]
}

/** One search, in its own transaction. */
class Search {
  readonly #db: Queryable
  readonly #filter: EventFilter
  readonly #before: string
  readonly #limit: number
  readonly #terms: readonly Term[]
  readonly #deadline = performance.now() + patience
  /** Ids that match, as far as it has looked. */
  readonly #found = new Set<string>()

  constructor(db: Queryable, filter: EventFilter, before: string | null, limit: number) {
    this.#db = db
    this.#filter = filter
    this.#before = before ?? end
    this.#limit = limit
    this.#terms = termsOf(filter.q ?? '')
  }

  /** Ids of the events, the newest first. */
  async run(): Promise<string[]> {
    if (!needsWords(this.#filter)) {
      await this.#look(events, () => [], await this.#areFew())
      return this.#newest()
    }
    const words = wordsOf(this.#filter)
    const since = await newestWithoutWords(this.#db)
    await this.#look(events, (place) => [`e.id >= ${place(since)}`])
    for (const id of this.#terms.flatMap(({ text }) => (uuid.test(text) ? text : []))) {
      await this.#look(events, (place) => [`${place(id)}::uuid IN (e.id, e.action, e.approval)`])
    }
    if (words.whole.length + words.begin.length === 0) {
      // Nothing in it is a word: there is nothing to look it up by.
      await this.#look(events, () => [])
      return this.#newest()
    }
    await this.#lookThroughChunks(words)
    return this.#newest()
  }

  /** Chunk after chunk, until there are enough that are newer than all that is left. */
  async #lookThroughChunks(words: ReturnType<typeof wordsOf>): Promise<void> {
    const from = this.#filter.from ? firstIdAt(this.#filter.from) : start
    const to = this.#filter.to ? firstIdAt(this.#filter.to) : end
    const before = to < this.#before ? to : this.#before
    let below = end
    for (;;) {
      const candidates = await findCandidates(this.#db, words, { from, before, below }, most)
      for (let done = 0, some = 8; done < candidates.length; done += some, some *= 2) {
        const part = candidates.slice(done, done + some)
        await this.#look(tables, (place) => inChunks(part, words, place), true)
        if (this.#has(this.#limit, part.at(-1)!.hi)) return
      }
      if (candidates.length < most) return
      below = candidates.at(-1)!.hi
    }
  }

  /** Takes in the newest of these events that match. `all`: finds all of them, and then the newest. */
  async #look(from: string, also: (place: Place) => string[], all = false): Promise<void> {
    let before: string | null = this.#before
    for (let found = 0; before !== null && found < this.#limit;) {
      if (performance.now() > this.#deadline) throw tooMuch()
      const { sql, params } = this.#select(from, also, before)
      const rows: Row[] = await this.#db.query<Row>(
        `WITH e AS ${all ? '' : 'NOT '}MATERIALIZED (${sql}) SELECT * FROM e ORDER BY id DESC LIMIT ${this.#limit}`,
        params,
      )
      const matching = rows.filter((row) => this.#matches(row))
      for (const { id } of matching) this.#found.add(id)
      found += matching.length
      before = rows.length === this.#limit ? rows.at(-1)!.id : null
    }
  }

  /** Whether the planner expects so few that finding all of them is faster than going back in time until there are enough. */
  async #areFew(): Promise<boolean> {
    if (Object.keys(this.#filter).length < 2) return false
    const { sql, params } = this.#select(events, () => [], this.#before)
    const [plan] = await this.#db.query<Plan>(`EXPLAIN (FORMAT JSON) ${sql}`, params)
    return plan!['QUERY PLAN'][0].Plan['Plan Rows'] < few
  }

  #select(from: string, also: (place: Place) => string[], before: string) {
    const params: unknown[] = []
    const place = (value: unknown) => `$${params.push(value)}`
    const where = [
      ...also(place),
      ...conditionsOf(this.#filter, place),
      `e.id < ${place(before)}::uuid`,
    ]
    const columns = this.#terms.length > 0 ? 'e.id, e.body, e.personal' : 'e.id'
    return { sql: `SELECT ${columns} FROM ${from} WHERE ${where.join(' AND ')}`, params }
  }

  #matches(row: Row): boolean {
    if (this.#terms.length === 0) return true
    const text = textOf(row)
    // What has a column of its own is not in the text.
    return this.#terms.every((term) => uuid.test(term.text) || occursIn(term, text))
  }

  #has(count: number, from: string): boolean {
    return [...this.#found].filter((id) => id >= from).length >= count
  }

  #newest(): string[] {
    return [...this.#found].toSorted().toReversed().slice(0, this.#limit)
  }
}

/** Whether columns alone, and the order of time, do not lead to the events. */
function needsWords({
  q,
  rule,
  effect,
  digest,
  policy,
  trace,
  result,
  action,
  ...of
}: EventFilter) {
  const byWord = [q, rule, effect, digest, policy, trace, result, of.dataset, of.class, of.model]
  return byWord.some((value) => value !== undefined) || (action !== undefined && !uuid.test(action))
}

function readEvents(db: Queryable, ids: readonly string[]): Promise<EventRow[]> {
  return db.query<EventRow>(
    `SELECT e.id, e.body, e.salt, e.personal, e.replica, e.epoch, e.n, e.prev, e.hash
       FROM sallyport.audit_log e
      WHERE e.id = ANY ($1::uuid[])
      ORDER BY e.id DESC`,
    [ids],
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
