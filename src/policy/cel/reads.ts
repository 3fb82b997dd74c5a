import type { ASTNode } from '@marcbachmann/cel-js'
import { usageFactName, type UsageFact } from '../../core/usage-fact.ts'
import { namespaces } from '../attributes.ts'
import { accessOf, children } from './ast.ts'
import type { Scope } from './environment.ts'
import type { Fault } from './fault.ts'
import { isUsageCall, usageFactOf } from './usage.ts'

/**
 * What an expression looks at: `action.http.json` and, of that, `action.http.json.order` or, where
 * it may be anything of it, `action.http.json.*`; `impact.rows`.
 */
export interface Reads {
  readonly paths: ReadonlySet<string>
  /** Those of them that are counts of what the subject did. */
  readonly usage: readonly UsageFact[]
  /** Whether it looks at what the rule's paths name. */
  readonly parameters: boolean
  readonly faults: readonly Fault[]
}

const scalars = ['name', 'resource', 'effect', 'reason']

/**
 * Finds every attribute and fact that an expression reads. They have to be named in full
 * (`action.http.json.order`, not `action.http` passed around), so that it is known before a request
 * comes whether its body has to be read.
 */
export function readsOf(root: ASTNode, scope: Scope): Reads {
  const paths = new Set<string>()
  const usage: UsageFact[] = []
  const faults: Fault[] = []
  let parameters = false
  visit(root)
  return { paths, usage, parameters, faults }

  function visit(node: ASTNode): void {
    if (isUsageCall(node)) return count(node)
    const access = accessOf(node)
    if (access === null) {
      children(node).forEach(visit)
    } else if (access.root === 'action') {
      attribute(node, access.fields)
    } else if (access.root === 'params') {
      pathParameter(node, access.fields)
    } else if (factGroups.has(access.root)) {
      fact(node, `${access.root}.${access.fields[0] ?? ''}`)
    }
  }

  function attribute(node: ASTNode, [first, second, third]: readonly string[]): void {
    if (first !== undefined && scalars.includes(first)) return
    const namespace = scope.namespaces.find((known) => known === first)
    const known = namespace === undefined ? [] : Object.keys(namespaces[namespace])
    if (namespace === undefined) {
      const names = [...scalars, ...scope.namespaces]
      faults.push(missing(node, 'action', first, names))
    } else if (second === undefined || !known.includes(second)) {
      faults.push(missing(node, `action.${namespace}`, second, known))
    } else {
      const path = `action.${namespace}.${second}`
      paths.add(path)
      if (path === 'action.http.json') paths.add(`${path}.${third ?? '*'}`)
    }
  }

  function count(node: ASTNode & { op: 'rcall' }): void {
    const found = usageFactOf(node, scope.usage)
    if ('offset' in found) return void faults.push(found)
    usage.push(found)
    paths.add(`usage.${usageFactName(found)}`)
  }

  function pathParameter(node: ASTNode, [name]: readonly string[]): void {
    parameters = true
    const { names } = scope.parameters
    if (name === undefined || !names.includes(name))
      faults.push(missing(node, 'params', name, names, 'In the paths of this rule'))
  }

  function fact(node: ASTNode, path: string): void {
    if (scope.facts.includes(path)) paths.add(path)
    else faults.push(unavailable(node, path))
  }
}

/** Groups of facts that the language knows, whether or not a resource can provide them. */
const factGroups = new Set(['impact', 'usage'])

function missing(
  node: ASTNode,
  owner: string,
  name: string | undefined,
  known: readonly string[],
  where = 'On the resources of this rule',
): Fault {
  const list = known.map((one) => `${owner}.${one}`).join(', ')
  return {
    message:
      name === undefined
        ? `\`${owner}\` cannot be used as a whole.`
        : `There is no \`${owner}.${name}\` here.`,
    remedy: list ? `${where} there are ${list}.` : 'Use another attribute.',
    offset: node.start,
  }
}

function unavailable(node: ASTNode, path: string): Fault {
  return {
    message: `The fact \`${path}\` is not available on every resource of this rule.`,
    remedy: 'Leave it out, or put the rule on resources whose protocol gathers it.',
    offset: node.start,
  }
}
