import type { Node } from 'libpg-query'
import { texts } from './nodes.ts'
import type { Output, Outputs, Scope } from './scope.ts'
import type { Walk } from './walk.ts'

/** A result column. What it is made from is found by reading it with nothing else in the list. */
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
  return { list: [{ name: name ?? nameOf(val), columns }], open: hasStar(val) }
}

function starOf(qualifier: readonly string[], scope: Scope): Outputs {
  const alias = qualifier.at(-1)
  const one = alias === undefined ? null : scope.sourceOf(alias, qualifier.at(-2) ?? null)
  const sources = alias === undefined ? scope.sources : one ? [one] : []
  const list = sources.flatMap(({ columns }): Output[] =>
    [...columns].map(([name, stored]) => ({ name, columns: stored })),
  )
  return { list, open: sources.length === 0 || sources.some(({ open }) => open) }
}

function hasStar(node: Node): boolean {
  return (
    'A_Indirection' in node &&
    node.A_Indirection.indirection?.some((step) => 'A_Star' in step) === true
  )
}

/** As the server names it where no name is given (parse_target.c, FigureColname), for the common cases. */
function nameOf(node: Node): string | null {
  if ('ColumnRef' in node) return texts(node.ColumnRef.fields).at(-1) ?? null
  if ('FuncCall' in node) return texts(node.FuncCall.funcname).at(-1) ?? null
  if ('A_Indirection' in node) return texts(node.A_Indirection.indirection).at(-1) ?? null
  if ('TypeCast' in node) {
    const { arg, typeName } = node.TypeCast
    return (arg && nameOf(arg)) ?? texts(typeName?.names).at(-1) ?? null
  }
  return null
}

/** The list of a SELECT or of RETURNING. */
export function readTargets(nodes: readonly Node[], scope: Scope, walk: Walk): Outputs {
  const outputs = nodes.map((node) => readTarget(node, scope, walk))
  return { list: outputs.flatMap(({ list }) => list), open: outputs.some(({ open }) => open) }
}
