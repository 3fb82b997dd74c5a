import type { Condition, Mode } from './condition.ts'
import { names } from './names.ts'

/** `what.mcp.tool`: the tool that is called. */
export function tool(wanted: readonly string[], mode: Mode): Condition {
  return names('what.mcp.tool', wanted, mode, (input) => input.attribute('mcp', 'tool'))
}
