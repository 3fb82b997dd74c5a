import type { Condition, Mode } from './condition.ts'
import { names } from './names.ts'
import { relations } from './sql-spelling.ts'

/**
 * `what.sql.tables`: the tables that the statement touches, as the server resolves their names.
 * Hold and deny rules also look at what it reaches without naming it: partitions, cascades, and
 * whatever an unknown function may touch.
 */
export function tables(wanted: readonly string[], mode: Mode): Condition {
  return names(
    'what.sql.tables',
    wanted,
    mode,
    (input) => {
      const named = input.attribute('sql', 'tables')
      return mode === 'everything' ? named : (input.attribute('sql', 'reached') ?? named)
    },
    relations,
  )
}
