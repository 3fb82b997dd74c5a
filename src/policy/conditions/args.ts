import type { Condition, Mode } from './condition.ts'
import type { Wanted } from './fields.ts'
import { fieldsCondition } from './fields-condition.ts'

/** `what.mcp.args`: arguments of the tool call. */
export function args(wanted: Wanted, mode: Mode): Condition {
  return fieldsCondition('what.mcp.args', wanted, mode, (input) => input.attribute('mcp', 'args'))
}
