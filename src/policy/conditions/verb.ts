import type { Condition, Mode } from './condition.ts'
import { names } from './names.ts'

/** `what.sql.verb`: what the statement does: `select`, `insert`, `copy` … One statement can do several things (a WITH that deletes). */
export function verb(wanted: readonly string[], mode: Mode): Condition {
  return names('what.sql.verb', wanted, mode, (input) => input.attribute('sql', 'verb'))
}
