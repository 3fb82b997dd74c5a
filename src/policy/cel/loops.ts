import type { ASTNode } from '@marcbachmann/cel-js'
import { namespaces } from '../attributes.ts'
import { accessOf, children, loopOf, type Loop } from './ast.ts'
import type { Fault } from './fault.ts'

/** Loops inside loops, at most. */
const maxNesting = 3

const comparisons = new Set(['==', '!=', '<', '<=', '>', '>='])

/**
 * What a name means at some place in an expression. `long`: the agent decides how much there is of
 * it.
 */
interface Bindings {
  readonly depth: number
  /**
   * The variable of the innermost loop over something long, which may be walked once more, being a
   * part of it.
   */
  readonly current: string | null
  /** Variables of the loops around that one. */
  readonly outer: ReadonlySet<string>
}

/**
 * Keeps the time of an expression proportional to the size of the request. A loop over what the
 * agent sent walks it once; were another walk over it allowed inside, a body of a megabyte would
 * take minutes. So inside such a loop, everything that an agent can make long may be compared with,
 * and nothing else, except the loop's own variable.
 */
export function checkLoops(root: ASTNode): readonly Fault[] {
  return visit(root, { depth: 0, current: null, outer: new Set() })
}

function visit(node: ASTNode, bindings: Bindings, parent?: ASTNode): readonly Fault[] {
  const loop = loopOf(node)
  if (loop) return visitLoop(node, loop, bindings)
  if (!accessOf(node)) return children(node).flatMap((child) => visit(child, bindings, node))
  if (bindings.current === null || !isForeign(node, bindings)) return []
  return parent && isHarmless(parent) ? [] : [walkInside(node)]
}

function visitLoop(node: ASTNode, loop: Loop, bindings: Bindings): readonly Fault[] {
  const { range, variable, bodies } = loop
  const depth = bindings.depth + 1
  if (depth > maxNesting) return [fault(node, `Loops are nested more than ${maxNesting} deep.`)]
  if (variable.op !== 'id') return [fault(variable, 'The variable of a loop is not a name.')]
  const name = variable.args
  if (reserved.has(name) || name === bindings.current || bindings.outer.has(name)) {
    return [fault(variable, `\`${name}\` is taken: give the variable of this loop another name.`)]
  }
  const inner = isLong(range, bindings)
    ? { depth, current: name, outer: including(bindings.outer, bindings.current) }
    : { ...bindings, depth }
  return [...visit(range, bindings, node), ...bodies.flatMap((body) => visit(body, inner, node))]
}

const reserved = new Set(['action', 'subject', 'impact', 'usage'])

function including(names: ReadonlySet<string>, name: string | null): ReadonlySet<string> {
  return name === null ? names : new Set([...names, name])
}

/**
 * Whether anything in an expression is as long as the agent likes. Literals and what the credential
 * says are not.
 */
function isLong(node: ASTNode, bindings: Bindings): boolean {
  const access = accessOf(node)
  if (!access) return children(node).some((child) => isLong(child, bindings))
  return access.root === bindings.current || isForeign(node, bindings)
}

/** Whether a chain of accesses leads to something long that is not the innermost loop's own. */
function isForeign(node: ASTNode, bindings: Bindings): boolean {
  const access = accessOf(node)
  if (!access) return false
  if (bindings.outer.has(access.root)) return true
  if (access.root !== 'action') return false
  const [namespace, name] = access.fields
  const types: Record<string, Record<string, string>> = namespaces
  const type = types[namespace ?? '']?.[name ?? '']
  return type !== undefined && type !== 'string' && type !== 'bool'
}

function isHarmless(parent: ASTNode): boolean {
  return comparisons.has(parent.op) || (parent.op === 'call' && parent.args[0] === 'has')
}

function walkInside(node: ASTNode): Fault {
  return fault(
    node,
    'Inside a loop over what the agent sent, this can only be compared with.',
    'Use the variable of the innermost loop, turn the loops round, or use `what` for lists.',
  )
}

function fault(node: ASTNode, message: string, remedy?: string): Fault {
  return { message, offset: node.start, ...(remedy && { remedy }) }
}
