import { createHash } from 'node:crypto'
import { Unknown, type Attribute } from '../../../core/action.ts'
import type { Findings, List } from './findings.ts'
import type { SqlAttributes, Statement } from './statement.ts'

/**
 * Turns findings into the form that everybody else uses. `start` and `end` are bytes of the text.
 */
export function finish(
  found: Findings,
  tree: unknown,
  { start, end }: { readonly start: number; readonly end: number },
): Statement {
  const { command, effect, session, control, gathers, undoable } = found
  const sql = attributesOf(found, tree)
  return { start, end, command, effect, sql, session, control, gathers, undoable }
}

function attributesOf(found: Findings, tree: unknown): SqlAttributes {
  const read = found.names('tables_read')
  const written = found.names('tables_written')
  const tables = [...new Set([...read, ...written])].toSorted()
  const hidden = found.hidden('tables_read') ?? found.hidden('tables_written')
  // `reached` includes what is named.
  const reached = [...new Set([...tables, ...found.names('reached')])].toSorted()
  const unreached = hidden ?? found.hidden('reached')
  const list = (name: List): Attribute => known(found.names(name), found.hidden(name))
  return {
    verb: list('verb'),
    tables: known(tables, hidden ?? found.besideTables),
    tables_read: list('tables_read'),
    tables_written: list('tables_written'),
    named: list('named'),
    reached: known(reached, unreached),
    columns: list('columns'),
    functions: list('functions'),
    unproven: list('unproven'),
    has_where: !found.takesAll,
    limit: found.limit,
    statements: 1,
    settings: list('settings'),
    channels: list('channels'),
    shape: shapeOf(found, tree, tables),
  }
}

function known(names: readonly string[], hidden: string | null): Attribute {
  return hidden === null ? [...names] : new Unknown(hidden)
}

/**
 * Two statements have the same shape if they differ only in constants and their names mean the
 * same. In anything but a plain read or write (a SET, a call of something unknown or with a known
 * effect, like `setval`) the constants are the point, and belong to the shape. EXECUTE has the
 * shape of what it runs.
 */
function shapeOf(found: Findings, tree: unknown, tables: readonly string[]): string {
  const isPlain = found.effect === 'read' || found.effect === 'write'
  const constantsCount = !isPlain || found.names('unproven').length > 0
  const text = JSON.stringify([tables, found.runs, tree], (key, value: unknown) => {
    // A number is a place in the text. A string is the location of a tablespace, which counts.
    if (key === 'location' && typeof value === 'number') return undefined
    if (key.startsWith('stmt_') || key.startsWith('list_')) return undefined
    return key === 'A_Const' && !constantsCount ? '?' : value
  })
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 32)
  return `${found.names('verb').join(' ')} ${tables.join(' ')} ${hash}`
}
