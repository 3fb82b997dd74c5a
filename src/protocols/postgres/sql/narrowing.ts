import type { Node } from 'libpg-query'
import { isStruct, texts, untag } from './nodes.ts'

/**
 * Whether a condition looks as if it leaves rows out: it compares a column with something else, and
 * so does every arm of an OR. `WHERE true`, `1 = 1`, `id = id` and `id > 0 OR true` do not narrow.
 * This is a hint and no proof, as `id IS NOT NULL` passes; `impact.rows` counts.
 */
export function isNarrowing(condition: Node | undefined): boolean {
  if (condition === undefined) return false
  if ('CurrentOfExpr' in condition) return true
  if ('BoolExpr' in condition) {
    const { boolop, args = [] } = condition.BoolExpr
    return boolop === 'OR_EXPR' ? args.every(isNarrowing) : args.some(isNarrowing)
  }
  if ('A_Expr' in condition) {
    const { lexpr, rexpr } = condition.A_Expr
    const left = nameOf(lexpr)
    if (left !== null && left === nameOf(rexpr)) return false
  }
  return namesColumn(condition)
}

function nameOf(node: Node | undefined): string | null {
  return node && 'ColumnRef' in node ? texts(node.ColumnRef.fields).join('.') : null
}

function namesColumn(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(namesColumn)
  if (!isStruct(value)) return false
  const tag = untag(value)?.[0]
  if (tag === 'ColumnRef') return true
  return Object.values(value).some(namesColumn)
}
