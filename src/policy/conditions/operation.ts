import type { Condition, Mode } from './condition.ts'
import { names } from './names.ts'

/** `what.admin.operation`: what is to be done to the gateway itself. */
export function operation(wanted: readonly string[], mode: Mode): Condition {
  return names('what.admin.operation', wanted, mode, (input) =>
    input.attribute('admin', 'operation'),
  )
}
