import { Unknown, type Attribute } from '../../core/action.ts'
import type { Input } from '../input.ts'
import type { Condition, Mode } from './condition.ts'
import { names } from './names.ts'
import { functions as spelling } from './sql-spelling.ts'

/**
 * `what.sql.functions`: the functions, operators and casts of the statement. A hold or deny rule
 * looks at all of them. An allow rule has to list those that are not known to be harmless; without
 * the key it allows none of these, since nobody can tell what they do.
 */
export function functions(wanted: readonly string[], mode: Mode): Condition {
  const read = mode === 'everything' ? unproven : all
  const condition = names('what.sql.functions', wanted, mode, read, spelling)
  return wanted.length > 0 ? condition : { ...condition, wants: 'none but harmless ones' }
}

function unproven(input: Input): Attribute | undefined {
  return input.attribute('sql', 'unproven') ?? input.attribute('sql', 'functions')
}

function all(input: Input): Attribute | undefined {
  const called = input.attribute('sql', 'functions')
  const more = input.attribute('sql', 'unproven') ?? []
  if (called instanceof Unknown || !Array.isArray(called)) return called
  return Array.isArray(more) ? [...called, ...more] : more
}
