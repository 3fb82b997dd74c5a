import type { Effect } from '../../../core/action.ts'
import type { SessionChange, Statement } from './statement.ts'

/** The lists of names that describe a statement. */
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
 * What has been found out about one statement so far. The readers fill it as they walk the tree.
 */
export class Findings {
  readonly #names = new Map<List, Set<string>>()
  readonly #hidden = new Map<List, string>()
  readonly session: SessionChange[] = []
  /** Names that the catalogue does not know, or could not read. */
  readonly missing = new Set<string>()
  /** The command tag, as in CommandComplete. */
  command = ''
  effect: Effect = 'read'
  /** Whether a SELECT, UPDATE, DELETE or TRUNCATE takes every row of a table. */
  takesAll = false
  limit: number | null = null
  control = false
  undoable: Statement['undoable'] = true
  /** Whether the reading depends on what the session has prepared or declared. */
  ofSession = false
  /** The shapes of prepared or declared statements that this one runs. */
  readonly runs: string[] = []
  /** Whether a single value in its result may be made from many rows. */
  gathers = false
  /**
   * Why the list of tables does not tell what the statement concerns, such as a type, a role or a
   * whole schema; `null` if it does.
   */
  besideTables: string | null = null

  add(list: List, ...names: readonly string[]): void {
    const set = this.#names.get(list) ?? new Set()
    this.#names.set(list, set)
    for (const name of names) set.add(name)
  }

  names(list: List): readonly string[] {
    return [...(this.#names.get(list) ?? [])].toSorted()
  }

  /** These lists may be incomplete, and `why`. Rules see them as unknown. */
  hide(why: string, ...which: readonly List[]): void {
    for (const list of which) if (!this.#hidden.has(list)) this.#hidden.set(list, why)
  }

  /** Why a list is not known to be complete; `null` if it is. */
  hidden(list: List): string | null {
    return this.#hidden.get(list) ?? null
  }

  /**
   * Returns what `work` adds to a list, including names that were in it already. `keep`: whether
   * the additions stay.
   */
  during(list: List, keep: boolean, work: () => void): readonly string[] {
    const before = this.#names.get(list) ?? new Set()
    this.#names.set(list, new Set())
    work()
    // Not the set from above, which nested work may have replaced.
    const own = this.#names.get(list) ?? new Set()
    this.#names.set(list, keep ? new Set([...before, ...own]) : before)
    return [...own]
  }

  raise(effect: Effect): void {
    this.effect = worse(this.effect, effect)
  }

  /** Nothing is certain about this statement: it may touch anything, in any way. */
  obscure(why: string): void {
    this.raise('unknown')
    this.hide(why, 'tables_read', 'tables_written', 'reached', 'columns', 'functions', 'unproven')
    this.cannotUndo(why)
  }

  /** It runs something that may change the session in ways we cannot see. */
  clouds(): void {
    if (this.session.some(({ kind }) => kind === 'opaque')) return
    this.session.push({ kind: 'opaque' })
  }

  cannotUndo(because: string): void {
    if (this.undoable === true) this.undoable = { because }
  }

  /**
   * Adds everything that another walk found, except what belongs to a whole statement: its command,
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

  /** Adds everything about a statement that was read earlier, with its PREPARE or DECLARE. */
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
