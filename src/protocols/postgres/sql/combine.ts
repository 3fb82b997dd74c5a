import { Unknown, type Attribute, type Effect } from '../../../core/action.ts'
import { worse } from './findings.ts'
import type { SqlAttributes, Statement } from './statement.ts'

const unions = [
  ...(['verb', 'tables', 'tables_read', 'tables_written', 'named', 'reached', 'columns'] as const),
  ...(['functions', 'unproven', 'settings', 'channels'] as const),
]

/** Combines what the statements of a text do, because a text is decided as a whole. */
export function combine(statements: readonly Statement[]): {
  readonly effect: Effect
  readonly sql: SqlAttributes
} {
  const [first] = statements
  if (first && statements.length === 1) return { effect: first.effect, sql: first.sql }
  // A rule should not have to list the verbs of a BEGIN and COMMIT around a statement.
  const deciding = statements.filter(({ control }) => !control)
  const each = (deciding.length > 0 ? deciding : statements).map(({ sql }) => sql)
  const lists = Object.fromEntries(
    unions.map((name) => [name, union(each.map((sql) => sql[name]))]),
  ) as Record<(typeof unions)[number], Attribute>
  return {
    effect: statements.map(({ effect }) => effect).reduce(worse, 'read'),
    sql: {
      ...lists,
      has_where: each.every((sql) => sql.has_where === true),
      limit: null,
      statements: statements.length,
      shape: each.flatMap(({ shape }) => (typeof shape === 'string' ? [shape] : [])).join('; '),
    },
  }
}

function union(values: readonly Attribute[]): Attribute {
  const unknown = values.find((value) => value instanceof Unknown)
  if (unknown) return unknown
  return [...new Set(values.flatMap((value) => value as string[]))].toSorted()
}
