import type { ASTNode } from '@marcbachmann/cel-js'
import { children } from './ast.ts'
import type { Fault } from './fault.ts'

/**
 * Refuses literals of the types that nothing which a condition can see has: `1u` and `b'…'`. The
 * library reads some of them otherwise than CEL says (`[1] == [1u]`, `b'ÿ'`), and a hold or deny
 * rule that is never true would be open.
 */
export function checkLiterals(node: ASTNode): readonly Fault[] {
  const fault = literalFault(node)
  return fault ? [fault] : children(node).flatMap(checkLiterals)
}

function literalFault(node: ASTNode): Fault | null {
  if (node.op !== 'value' || node.args === null || typeof node.args !== 'object') return null
  return node.args instanceof Uint8Array
    ? {
        message: 'Nothing that a condition can see is of type bytes.',
        remedy: 'Compare with a text: leave out the `b` before the quotes.',
        offset: node.start,
      }
    : {
        message: 'Nothing that a condition can see is of type uint.',
        remedy: 'Leave out the `u` after the number: numbers of all types compare with each other.',
        offset: node.start,
      }
}
