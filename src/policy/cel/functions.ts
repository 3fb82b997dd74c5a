import type { ASTNode } from '@marcbachmann/cel-js'
import { children } from './ast.ts'
import type { Fault } from './fault.ts'
import { isUsageCall } from './usage.ts'
import { regexMistake } from './regex.ts'

/**
 * Everything that a condition may call. What is not on these lists is refused: a new version of the
 * library adds nothing by itself.
 */
const functions = new Set(['has', 'size', 'int', 'double', 'string', 'bool', 'type'])
const methods = new Set([
  'size',
  'startsWith',
  'endsWith',
  'contains',
  'lowerAscii',
  'upperAscii',
  'trim',
  'substring',
  'split',
  'join',
  'matchesRe2',
  'all',
  'exists',
  'exists_one',
  'map',
  'filter',
])

export function checkFunctions(node: ASTNode): readonly Fault[] {
  return [...callFaults(node), ...children(node).flatMap(checkFunctions)]
}

function callFaults(node: ASTNode): readonly Fault[] {
  if (node.op === 'call' && !functions.has(node.args[0])) return [unknownFunction(node, functions)]
  // What `usage` can do is checked with what it is asked for.
  if (node.op !== 'rcall' || isUsageCall(node)) return []
  const [name, , args] = node.args
  if (name === 'matches') {
    return [
      {
        message: '`matches` can take exponential time, and is not available.',
        remedy: "Write text.matchesRe2('…'): the same (RE2) syntax, in linear time.",
        offset: node.start,
      },
    ]
  }
  if (!methods.has(name)) return [unknownFunction(node, methods)]
  return name === 'matchesRe2' ? patternFaults(args[0] ?? node) : []
}

function unknownFunction(
  node: ASTNode & { op: 'call' | 'rcall' },
  known: ReadonlySet<string>,
): Fault {
  const kind = node.op === 'call' ? 'function' : 'method'
  return {
    message: `There is no ${kind} \`${node.args[0]}\`.`,
    remedy: `The ${kind}s are ${[...known].join(', ')}.`,
    offset: node.start,
  }
}

function patternFaults(pattern: ASTNode): readonly Fault[] {
  if (pattern.op !== 'value' || typeof pattern.args !== 'string') {
    return [
      {
        message: 'The pattern of `matchesRe2` is not a text literal.',
        remedy: 'Write it out, so that it can be checked now and never comes from an agent.',
        offset: pattern.start,
      },
    ]
  }
  const mistake = regexMistake(pattern.args)
  return mistake === null ? [] : [{ message: `${mistake}.`, offset: pattern.start }]
}
