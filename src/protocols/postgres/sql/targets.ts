import type { Node } from 'libpg-query'
import { texts } from './nodes.ts'
import type { Outputs, Scope } from './scope.ts'
import type { Walk } from './walk.ts'

/**
 * Reads one result column. What it is made from is found by reading it with an empty list of
 * columns.
 */
function readTarget(node: Node, scope: Scope, { lazily, ...rest }: Walk): Outputs {
  const walk = { ...rest, lazily: false }
  if (!('ResTarget' in node) || !node.ResTarget.val) return { list: [], open: true }
  const { name, val } = node.ResTarget
  if ('ColumnRef' in val && val.ColumnRef.fields?.some((field) => 'A_Star' in field)) {
    walk.readers.expression(val, scope, walk)
    return starOf(texts(val.ColumnRef.fields), scope)
  }
  const columns = walk.found.during('columns', !lazily, () =>
    walk.readers.expression(val, scope, walk),
  )
  // `(row).*` yields as many columns as the row has, which we do not know.
  if (hasStar(val)) return { list: [], open: true }
  return { list: [{ name: name ?? nameOf(val), columns }], open: false }
}

function starOf(qualifier: readonly string[], scope: Scope): Outputs {
  const alias = qualifier.at(-1)
  if (alias === undefined) return scope.all
  const source = scope.sourceOf(alias, qualifier.at(-2) ?? null)
  return source ? { list: source.outputs, open: source.open } : { list: [], open: true }
}

function hasStar(node: Node): boolean {
  return (
    'A_Indirection' in node &&
    node.A_Indirection.indirection?.some((step) => 'A_Star' in step) === true
  )
}

/**
 * The name that the server gives a column without one, in the common cases (parse_target.c,
 * FigureColname); `null` in others.
 */
function nameOf(node: Node): string | null {
  if ('ColumnRef' in node) return texts(node.ColumnRef.fields).at(-1) ?? null
  if ('FuncCall' in node) return texts(node.FuncCall.funcname).at(-1) ?? null
  if ('A_Indirection' in node) return texts(node.A_Indirection.indirection).at(-1) ?? null
  if ('TypeCast' in node) {
    const { arg, typeName } = node.TypeCast
    // A cast takes the name of its argument, or of the outermost type where that has none.
    if (!arg || !isNameless(arg)) return arg ? nameOf(arg) : null
    return texts(typeName?.names).at(-1) ?? null
  }
  return null
}

function isNameless(node: Node): boolean {
  if ('TypeCast' in node) return node.TypeCast.arg !== undefined && isNameless(node.TypeCast.arg)
  if ('A_Expr' in node) return node.A_Expr.kind !== 'AEXPR_NULLIF'
  return 'A_Const' in node || 'ParamRef' in node
}

/** Reads the list of a SELECT or of RETURNING. */
export function readTargets(nodes: readonly Node[], scope: Scope, walk: Walk): Outputs {
  const outputs = nodes.map((node) => readTarget(node, scope, walk))
  return { list: outputs.flatMap(({ list }) => list), open: outputs.some(({ open }) => open) }
}
