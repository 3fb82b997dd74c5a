import type { Condition, Mode } from './condition.ts'
import { names } from './names.ts'
import { verbs } from './sql-spelling.ts'

/**
 * `what.sql.verb`: what the statement does: `select`, `insert`, `copy` … One statement can do several things (a WITH that deletes). Some have
 * two words (`alter role`, `set search_path`): a hold or deny rule finds them by the first as well.
 */
export function verb(wanted: readonly string[], mode: Mode): Condition {
  const exactly = { ...verbs, forms: (name: string) => [name] }
  const spelling = mode === 'everything' ? exactly : verbs
  return names('what.sql.verb', wanted, mode, (input) => input.attribute('sql', 'verb'), spelling)
}
