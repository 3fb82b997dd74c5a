import type { Condition, Mode } from './condition.ts'
import type { Wanted } from './fields.ts'
import { fieldsCondition } from './fields-condition.ts'

/** `what.http.json`: fields of the JSON body. */
export function json(wanted: Wanted, mode: Mode): Condition {
  return fieldsCondition('what.http.json', wanted, mode, (input) => input.attribute('http', 'json'))
}
