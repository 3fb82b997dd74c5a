import type { Condition, Mode } from './condition.ts'
import { names } from './names.ts'
import { columns as spelling } from './sql-spelling.ts'

/** `what.sql.columns`: the columns that the statement reads or writes, stars expanded. */
export function columns(wanted: readonly string[], mode: Mode): Condition {
  return names(
    'what.sql.columns',
    wanted,
    mode,
    (input) => input.attribute('sql', 'columns'),
    spelling,
  )
}
