import type { Node, TypeName } from 'libpg-query'

/** The parser's node types by tag: `NodeOf<'SelectStmt'>`. */
export type Tag = Node extends infer One ? (One extends unknown ? keyof One : never) : never
export type NodeOf<T extends Tag> = Extract<Node, Record<T, unknown>>[T &
  keyof Extract<Node, Record<T, unknown>>]

/** Any object of a tree: a node in its tagged form, or the plain struct inside. */
export type Struct = Readonly<Record<string, unknown>>

/**
 * Returns `['SelectStmt', {…}]` for `{ SelectStmt: {…} }`, and `null` for a struct without a tag.
 * Tags begin with a capital letter, fields do not.
 */
export function untag(value: Struct): readonly [string, Struct] | null {
  const [tag, ...more] = Object.keys(value)
  if (tag === undefined || more.length > 0 || !/^[A-Z]/.test(tag)) return null
  const inner = value[tag]
  return isStruct(inner) ? [tag, inner] : null
}

export function isStruct(value: unknown): value is Struct {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * The texts in a list of nodes, such as a dotted name or an operator. Other nodes (`*`, a
 * subscript) are left out.
 */
export function texts(list: readonly Node[] | undefined): string[] {
  return (list ?? []).flatMap((node) => ('String' in node ? [node.String.sval ?? ''] : []))
}

/** The value of a constant as a text; `null` for NULL, and for anything that is no constant. */
export function constant(node: Node | undefined): string | null {
  if (node === undefined || !('A_Const' in node)) return null
  const { A_Const: value } = node
  if (value.isnull) return null
  if (value.sval) return value.sval.sval ?? ''
  if (value.ival) return String(value.ival.ival ?? 0)
  if (value.fval) return value.fval.fval ?? ''
  if (value.boolval) return String(value.boolval.boolval ?? false)
  return value.bsval?.bsval ?? null
}

/** The name of a type, as it is written. */
export function typeNames(type: TypeName): string[] {
  return texts(type.names)
}
