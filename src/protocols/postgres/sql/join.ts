import type { JoinExpr } from 'libpg-query'
import { callOperator } from './calls.ts'
import { readColumn } from './column-refs.ts'
import { texts } from './nodes.ts'
import {
  sourceFrom,
  type Output,
  type Outputs,
  type Scope,
  type Source,
  type Taken,
} from './scope.ts'
import type { Walk } from './walk.ts'

/** Reads both sides of a JOIN, and the names that USING or NATURAL make common to them. */
export function readJoin(join: JoinExpr, scope: Scope, walk: Walk): Taken {
  const nothing = { sources: [], outputs: { list: [], open: true }, takesRows: false }
  const left = join.larg ? walk.readers.item(join.larg, scope, walk) : nothing
  const right = join.rarg ? walk.readers.item(join.rarg, scope.beside(left), walk) : nothing
  // ON sees only its own two sides, not what stands before them in FROM.
  const own = scope.apart()
  own.add(left)
  own.add(right)
  const sides = [left, right].map(({ outputs }) => outputs)
  const shared = join.isNatural ? namesInBoth(sides) : texts(join.usingClause)
  if (join.isNatural || shared.length > 0) callOperator(['='], walk)
  for (const name of shared) for (const source of own.sources) readColumn(source, name, walk)
  walk.readers.expression(join.quals, own, walk)
  const outputs = merged(sides, shared)
  const takesRows = left.takesRows || right.takesRows
  const { alias, join_using_alias: usingAlias } = join
  if (alias) {
    // A name for the whole join stands for its columns, and hides the names of both sides.
    const whole = joined(alias.aliasname ?? '', outputs, texts(alias.colnames), walk)
    return { sources: [whole], outputs: { list: whole.outputs, open: whole.open }, takesRows }
  }
  const sources = [...own.sources]
  if (usingAlias) {
    const list = outputs.list.slice(0, shared.length)
    sources.push(joined(usingAlias.aliasname ?? '', { list, open: false }, [], walk))
  }
  return { sources, outputs, takesRows }
}

function namesInBoth([left, right]: readonly Outputs[]): string[] {
  const names = new Set(right!.list.map(({ name }) => name))
  return left!.list.flatMap(({ name }) => (name !== null && names.has(name) ? [name] : []))
}

/**
 * What `*` yields for a join: the shared columns once, and then the others (PostgreSQL
 * documentation, "Joined Tables").
 */
function merged(sides: readonly Outputs[], shared: readonly string[]): Outputs {
  const all = sides.flatMap(({ list }) => list)
  const isShared = ({ name }: Output): boolean => name !== null && shared.includes(name)
  const both = shared.map((name) => ({
    name,
    columns: all.filter((one) => one.name === name).flatMap(({ columns }) => columns),
  }))
  const list = [...both, ...all.filter((one) => !isShared(one))]
  return { list, open: sides.some(({ open }) => open) }
}

function joined(
  alias: string,
  { list, open }: Outputs,
  renamed: readonly string[],
  { found }: Walk,
): Source {
  // Closed: without knowing how many columns there are, we cannot tell which of them gets which new
  // name, so all of them count as read.
  const isUnsure = open && renamed.length > 0
  if (isUnsure) for (const { columns } of list) found.add('columns', ...columns)
  const outputs = isUnsure
    ? renamed.map((name) => ({ name, columns: [] }))
    : list.map(({ name, columns }, i) => ({ name: renamed[i] ?? name, columns }))
  return sourceFrom({ alias, schema: null, outputs, open, stored: false })
}
