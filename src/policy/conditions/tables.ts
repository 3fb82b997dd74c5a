import type { Condition, Mode } from './condition.ts'
import { names } from './names.ts'

/** `what.sql.tables`: the tables that the statement touches, as the server resolves their names. */
export function tables(wanted: readonly string[], mode: Mode): Condition {
  return names('what.sql.tables', wanted, mode, (input) => input.attribute('sql', 'tables'))
}
