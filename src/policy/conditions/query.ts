import type { Condition, Mode } from './condition.ts'
import { fieldsCondition } from './fields-condition.ts'

/** `what.http.query`: parameters by name, decoded, and the texts that each may have. */
export function query(wanted: Readonly<Record<string, readonly string[]>>, mode: Mode): Condition {
  return fieldsCondition('what.http.query', wanted, mode, (input) =>
    input.attribute('http', 'query'),
  )
}
