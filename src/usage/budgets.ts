import { Unknown, type Attribute } from '../core/action.ts'
import type { Subject } from '../core/subject.ts'
import { usageFactName, type UsageFact } from '../core/usage-fact.ts'
import { StoreError, type Queryable } from '../store/db.ts'
import type { Log } from '../telemetry/log.ts'
import { readRecent, recentRuns, type Recent } from './recent.ts'
import type { OwnRun, UnderWay } from './under-way.ts'

/**
 * Milliseconds for which a count from the store may be used. What this replica does meanwhile is
 * added to it.
 */
const goodFor = 250
/** How many counts are kept at a time. */
const mostKept = 1_000

/** What the store said at some time of the monotonic clock, in milliseconds. */
interface Looked {
  readonly at: number
  /**
   * `counted` has one number for each fact that was asked for, in order: a sum, or the number of
   * earlier uses.
   */
  readonly found: Promise<Recent | null>
}

/** Counts by the name that rules use: `rows customers 24h`. */
export type UsageFacts = Readonly<Record<string, Attribute>>

/**
 * Counts what subjects have done, for rules that ask: everything that is durable anywhere, and what
 * this replica has begun since.
 */
export class Budgets {
  readonly #store: Queryable
  readonly #underWay: UnderWay
  readonly #log: Log
  // Owned by #lately(): the latest look for each subject and set of facts.
  readonly #looks = new Map<string, Looked>()

  constructor(store: Queryable, underWay: UnderWay, log: Log) {
    this.#store = store
    this.#underWay = underWay
    this.#log = log
  }

  /**
   * Resolves to a function that returns the counts at the time it is called: what the store said a
   * moment ago, and what has begun here by then. What cannot be counted is `Unknown`. Rejects only
   * for defects.
   */
  async before(subject: Subject, asked: readonly UsageFact[]): Promise<() => UsageFacts> {
    const { at, found } = this.#lately(subject, asked)
    try {
      const store = await found
      return () => this.#facts(subject, asked, at, store)
    } catch (error) {
      if (!(error instanceof StoreError)) throw error
      // Closed: for an unknown count, no allow rule that looks at it matches, and every hold or
      // deny rule does.
      this.#log.warn({ err: error }, 'usage could not be counted')
      return () => unknown(asked, 'the store did not answer')
    }
  }

  /** The same within a transaction, from a look of its own. Rejects with a `StoreError`. */
  async within(
    tx: Queryable,
    subject: Subject,
    asked: readonly UsageFact[],
  ): Promise<() => UsageFacts> {
    const { at, found } = look(tx, subject, asked)
    const store = await found
    return () => this.#facts(subject, asked, at, store)
  }

  #lately(subject: Subject, asked: readonly UsageFact[]): Looked {
    const { issuer, subject: name } = subject
    const key = JSON.stringify([issuer, name, asked.map(usageFactName)])
    const known = this.#looks.get(key)
    if (known && performance.now() - known.at < goodFor) return known
    if (this.#looks.size >= mostKept) this.#looks.clear()
    const looked = look(this.#store, subject, asked)
    this.#looks.set(key, looked)
    // A failed look is not kept.
    looked.found.catch(() => this.#looks.delete(key))
    return looked
  }

  #facts(
    subject: Subject,
    asked: readonly UsageFact[],
    at: number,
    store: Recent | null,
  ): UsageFacts {
    if (!store) return unknown(asked, 'the log is not counted up to now')
    const known = new Set(store.recent.map(({ action }) => action))
    const counted = store.counted as readonly number[]
    const own = this.#underWay.of(subject, at).filter(({ action }) => !known.has(action))
    return Object.fromEntries(
      asked.map((fact, i) => [usageFactName(fact), valueOf(fact, counted[i] ?? 0, store, own)]),
    )
  }
}

function valueOf(
  fact: UsageFact,
  counted: number,
  { recent, unreadable }: Recent,
  own: readonly OwnRun[],
): Attribute {
  const { measure, hours } = fact
  const since = Date.now() - (hours + 1) * 3_600_000
  // Closed: an unreadable event could have been anything, of any amount.
  if (unreadable.some((at) => measure === 'first' || at.getTime() >= since)) {
    return new Unknown('an event in the log that it would count cannot be read')
  }
  const more: readonly OwnRun[] = [...recent.filter(({ at }) => at.getTime() >= since), ...own]
  if (measure === 'first') {
    return counted === 0 && ![...recent, ...own].some((run) => run.ran && touches(run, fact))
  }
  const amounts = more
    .filter((run) => touches(run, fact))
    .map((run) => (measure === 'actions' ? 1 : run[measure]))
  return amounts.reduce((sum, amount) => sum + amount, counted)
}

function touches({ datasets, classes }: OwnRun, { kind, name }: UsageFact): boolean {
  return (kind === 'class' ? classes : datasets).includes(name)
}

function unknown(asked: readonly UsageFact[], why: string): UsageFacts {
  return Object.fromEntries(asked.map((fact) => [usageFactName(fact), new Unknown(why)]))
}

const counted = `
  SELECT json_agg(n ORDER BY i) FROM (
    SELECT a.i, CASE a.measure WHEN 'first' THEN (
      SELECT count(*) FROM sallyport.usage_first f
      WHERE f.who = sallyport.usage_who($1, $2) AND f.item = a.kind || ' ' || a.name)
    ELSE (
      SELECT coalesce(sum(CASE a.measure WHEN 'actions' THEN u.runs WHEN 'rows' THEN u.rows WHEN 'bytes' THEN u.bytes
                          ELSE u.tokens_in + u.tokens_out END), 0)
      FROM sallyport.usage_hours u
      WHERE u.who = sallyport.usage_who($1, $2)
        AND u.hour >= date_bin('1 hour', clock_timestamp(), 'epoch') - make_interval(hours => a.hours)
        AND CASE a.kind WHEN 'class' THEN u.classes ELSE u.datasets END @> ARRAY[a.name]) END AS n
    FROM unnest($3::text[], $4::text[], $5::text[], $6::int[]) WITH ORDINALITY
      AS a (measure, kind, name, hours, i)) asked`

const statement = { name: 'usage_before', text: recentRuns(counted) }

function look(db: Queryable, { issuer, subject }: Subject, asked: readonly UsageFact[]): Looked {
  const at = performance.now()
  const found = readRecent(db, statement, [
    issuer,
    subject,
    asked.map(({ measure }) => measure),
    asked.map(({ kind }) => kind),
    asked.map(({ name }) => name),
    asked.map(({ hours }) => hours),
  ])
  return { at, found }
}
