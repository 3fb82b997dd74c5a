import type { Condition, Mode } from './condition.ts'
import { names } from './names.ts'

/** `what.sql.functions`: the functions that the statement calls. */
export function functions(wanted: readonly string[], mode: Mode): Condition {
  return names('what.sql.functions', wanted, mode, (input) => input.attribute('sql', 'functions'))
}
