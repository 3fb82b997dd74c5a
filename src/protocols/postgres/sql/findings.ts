import type { Effect } from '../../../core/action.ts'
import type { SessionChange, Statement } from './statement.ts'

/** Lists of names that a statement is described by. */
export const lists = [
  'verb',
  'tables_read',
  'tables_written',
  'named',
  'reached',
  'columns',
  'functions',
  'unproven',
  'settings',
  'channels',
] as const

export type List = (typeof lists)[number]

const severity: Record<Effect, number> = { read: 0, write: 1, admin: 2, unknown: 3 }

export function worse(a: Effect, b: Effect): Effect {
  return severity[a] >= severity[b] ? a : b
}

/**
 * What has been found out about one statement so far. Filled by the readers, in the order of the
 * walk.
 */
export class Findings {
  readonly #names = new Map<List, Set<string>>()
  readonly #hidden = new Map<List, string>()
  readonly session: SessionChange[] = []
  /** What the catalogue does not know, or has not been able to read. */
  readonly missing = new Set<string>()
  /** As CommandComplete has it. */
  command = ''
  effect: Effect = 'read'
  /** A SELECT, UPDATE, DELETE or TRUNCATE that takes every row of a table. */
  takesAll = false
  limit: number | null = null
  control = false
  undoable: Statement['undoable'] = true
  /** It depends on what the session has prepared or declared. */
  ofSession = false
  /** Shapes of the statements that were prepared or declared before, and that it runs. */
  readonly runs: string[] = []
  /** One value of what it returns may be made from many rows. */
  gathers = false
  /** Why its list of tables does not say what it is about: a type, a role, a whole schema. */
  besideTables: string | null = null

  add(list: List, ...names: readonly string[]): void {
    const set = this.#names.get(list) ?? new Set()
    this.#names.set(list, set)
    for (const name of names) set.add(name)
  }

  names(list: List): readonly string[] {
    return [...(this.#names.get(list) ?? [])].toSorted()
  }

  /** There may be more in these lists than can be told. */
  hide(why: string, ...which: readonly List[]): void {
    for (const list of which) if (!this.#hidden.has(list)) this.#hidden.set(list, why)
  }

  /** Why a list is not known to be complete; `null` if it is. */
  hidden(list: List): string | null {
    return this.#hidden.get(list) ?? null
  }

  /**
   * What something adds to a list, also of names that are in it already. `keep`: it stays there.
   */
  during(list: List, keep: boolean, work: () => void): readonly string[] {
    const before = this.#names.get(list) ?? new Set()
    this.#names.set(list, new Set())
    work()
    // Not the set from above: work that nests has put another in its place.
    const own = this.#names.get(list) ?? new Set()
    this.#names.set(list, keep ? new Set([...before, ...own]) : before)
    return [...own]
  }

  raise(effect: Effect): void {
    this.effect = worse(this.effect, effect)
  }

  /** Nothing about it can be relied on: it may touch anything, in any way. */
  obscure(why: string): void {
    this.raise('unknown')
    this.hide(why, 'tables_read', 'tables_written', 'reached', 'columns', 'functions', 'unproven')
    this.cannotUndo(why)
  }

  /** It runs something that may have changed the session. */
  clouds(): void {
    if (this.session.some(({ kind }) => kind === 'opaque')) return
    this.session.push({ kind: 'opaque' })
  }

  cannotUndo(because: string): void {
    if (this.undoable === true) this.undoable = { because }
  }

  /**
   * Everything that another walk found, besides what only a statement as a whole has: its command,
   * limit and session.
   */
  include(other: Findings, but: readonly List[] = []): void {
    for (const list of lists) {
      if (but.includes(list)) continue
      this.add(list, ...other.names(list))
      const why = other.hidden(list)
      if (why !== null) this.hide(why, list)
    }
    for (const name of other.missing) this.missing.add(name)
    if (other.session.some(({ kind }) => kind === 'opaque')) this.clouds()
    this.raise(other.effect)
    this.ofSession ||= other.ofSession
    this.gathers ||= other.gathers
    this.runs.push(...other.runs)
    this.besideTables ??= other.besideTables
    if (other.undoable !== true) this.cannotUndo(other.undoable.because)
  }

  /** Everything of a statement that was read earlier: of PREPARE or DECLARE. */
  includeStatement({ sql, effect, undoable }: Statement): void {
    for (const list of lists) {
      const value = sql[list]
      if (Array.isArray(value)) this.add(list, ...(value as readonly string[]))
      else this.hide('It runs a statement that could not be read in full.', list)
    }
    if (!Array.isArray(sql.tables))
      this.besideTables ??= 'It runs a statement that is about something else.'
    if (sql.has_where !== true) this.takesAll = true
    if (typeof sql.shape === 'string') this.runs.push(sql.shape)
    this.raise(effect)
    if (undoable !== true) this.cannotUndo(undoable.because)
  }
}
