import { Environment } from '@marcbachmann/cel-js'
import { namespaces, type Namespace } from '../attributes.ts'
import type { PathParameters } from '../path-parameters.ts'
import { matchesRe2 } from './regex.ts'
import { registerUsage, UsageView, type UsageScope } from './usage.ts'
import { ActionView, namespaceViews, SubjectView, viewOf, type View } from './views.ts'

/**
 * What the conditions of a rule can see: the attributes and facts that all of its resources have.
 */
export interface Scope {
  readonly namespaces: readonly Namespace[]
  /** `impact.rows` */
  readonly facts: readonly string[]
  /** Left out where nothing is counted. */
  readonly usage?: UsageScope
  /** What the rule's paths name: `id` of `/v1/customers/:id`. */
  readonly parameters: PathParameters
}

export interface ScopedEnvironment {
  readonly cel: Environment
  /** By name of the variable: `impact`. */
  readonly factViews: ReadonlyMap<string, View>
}

/** Caps on one expression. A condition that needs more should be several rules. */
const limits = {
  maxAstNodes: 500,
  maxDepth: 24,
  maxListElements: 250,
  maxMapEntries: 50,
  maxCallArguments: 4,
}

/**
 * The checked types of everything that a condition can name. Whatever is not declared here is an
 * error at load.
 */
export function createEnvironment(scope: Scope): ScopedEnvironment {
  const cel = new Environment({ limits, homogeneousAggregateLiterals: false })
  const fields: Record<string, string> = {
    name: 'string',
    resource: 'string',
    effect: 'string',
    reason: 'string',
  }
  for (const namespace of scope.namespaces) {
    const type = `sallyport.${namespace}`
    cel.registerType(type, {
      ctor: namespaceViews[namespace],
      fields: { ...namespaces[namespace] },
    })
    fields[namespace] = type
  }
  cel.registerType('sallyport.action', { ctor: ActionView, fields })
  cel.registerType('sallyport.subject', { ctor: SubjectView, fields: subjectFields })
  cel.registerVariable('action', 'sallyport.action')
  cel.registerVariable('subject', 'sallyport.subject')
  cel.registerVariable('params', 'map<string, string>')
  cel.registerFunction('string.matchesRe2(string): bool', matchesRe2, { async: false })
  const factViews = registerFacts(cel, scope.facts)
  if (!scope.usage) return { cel, factViews }
  registerUsage(cel)
  return { cel, factViews: new Map([...factViews, ['usage', UsageView]]) }
}

const subjectFields = {
  issuer: 'string',
  subject: 'string',
  kind: 'string',
  groups: 'list<string>',
  owner: 'dyn',
  chain: 'list<map<string, string>>',
  claims: 'map<string, dyn>',
}

function registerFacts(cel: Environment, facts: readonly string[]): ReadonlyMap<string, View> {
  const groups = Map.groupBy(facts, (fact) => fact.slice(0, fact.indexOf('.')))
  const views = new Map<string, View>()
  for (const [group, paths] of groups) {
    const names = paths.map((path) => path.slice(group.length + 1))
    const view = viewOf(group, names)
    const type = `sallyport.${group}`
    cel.registerType(type, {
      ctor: view,
      fields: Object.fromEntries(names.map((name) => [name, 'dyn'])),
    })
    cel.registerVariable(group, type)
    views.set(group, view)
  }
  return views
}
