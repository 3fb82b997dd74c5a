import type { ASTNode } from '@marcbachmann/cel-js'

/** The operands of a node, in the order of the source. */
export function children(node: ASTNode): readonly ASTNode[] {
  switch (node.op) {
    case 'value':
    case 'id':
      return []
    case '.':
    case '.?':
      return [node.args[0]]
    case 'call':
      return node.args[1]
    case 'rcall':
      return [node.args[1], ...node.args[2]]
    case 'map':
      return node.args.flat()
    case '!_':
    case '-_':
      return [node.args]
    default:
      return node.args
  }
}

/** A chain of field accesses with fixed names: `action.http.json`, `x["a"].b`. */
export interface Access {
  readonly root: string
  readonly fields: readonly string[]
}

/** The chain that a node is, or `null` where it is something else or an index is computed. */
export function accessOf(node: ASTNode): Access | null {
  if (node.op === 'id') return { root: node.args, fields: [] }
  const field = fieldOf(node)
  if (field === null) return null
  const inner = accessOf(field.of)
  return inner && { root: inner.root, fields: [...inner.fields, field.name] }
}

function fieldOf(node: ASTNode): { of: ASTNode; name: string } | null {
  if (node.op === '.') return { of: node.args[0], name: node.args[1] }
  if (node.op !== '[]') return null
  const [of, index] = node.args
  return index.op === 'value' && typeof index.args === 'string' ? { of, name: index.args } : null
}

/** A loop: `range.all(variable, body)` and its like. */
export interface Loop {
  readonly range: ASTNode
  readonly variable: ASTNode
  readonly bodies: readonly ASTNode[]
}

const loopMethods = new Set(['all', 'exists', 'exists_one', 'map', 'filter'])

export function loopOf(node: ASTNode): Loop | null {
  if (node.op !== 'rcall' || !loopMethods.has(node.args[0])) return null
  const [, range, [variable, ...bodies]] = node.args
  return variable ? { range, variable, bodies } : null
}
