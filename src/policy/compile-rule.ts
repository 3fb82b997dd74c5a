import type { Requirement } from '../core/decision.ts'
import { gatewayItself } from '../core/gateway-itself.ts'
import type { DecisionReason } from '../core/reasons.ts'
import { namespaces, namespacesOf, type KnownResource, type Namespace } from './attributes.ts'
import type { Scope } from './cel/environment.ts'
import type { Expression, ExpressionCompiler } from './cel/expression.ts'
import { checkRule } from './check-rule.ts'
import { whatConditions, whoConditions } from './conditions/all.ts'
import type { Known } from './known.ts'
import { PathParameters } from './path-parameters.ts'
import { report, type ReadRule } from './read-rules.ts'
import { resolveResources } from './resolve-resources.ts'
import { modeOf, type Rule } from './rule.ts'
import type { RuleSource } from './schema.ts'

/**
 * Checks one rule, reports what is wrong with it, and compiles it. `null` if its form is not valid.
 */
export function compileRule(
  read: ReadRule,
  known: Known,
  expressions: ExpressionCompiler,
): Rule | null {
  const resources = resolveResources(read, known)
  checkRule(read, resources, known)
  const { source, yaml, path } = read
  const seen = {
    ...(resources.length > 0 ? scopeOf(resources) : widestScope(known)),
    ...usageScope(resources, known),
  }
  const parameters = parametersOf(source)
  const when = compileWhen(read, { ...seen, parameters }, expressions)
  if (!source) return null
  const mode = modeOf(source.then)
  return {
    name: source.name,
    description: source.description ?? null,
    file: yaml.file,
    line: yaml.place(path).line,
    resources: resources.map(({ name }) => name),
    then: source.then,
    risk: source.risk,
    reason: source.reason ?? defaultReasons[source.then],
    conditions: [...whoConditions(source.who, mode), ...whatConditions(source.what, source.then)],
    when,
    requirement: requirementOf(source),
  }
}

/** What is done to the gateway itself touches no data set. */
function usageScope(
  resources: readonly KnownResource[],
  { datasets = [], elsewhere = false }: Known,
): Pick<Scope, 'usage'> {
  if (resources.some(({ name }) => name === gatewayItself)) return {}
  return { usage: { datasets, others: elsewhere } }
}

function parametersOf(source: RuleSource | null | undefined): PathParameters {
  const globs = source?.what?.http?.path ?? []
  return new PathParameters(globs, source ? modeOf(source.then) : 'everything')
}

const defaultReasons: Record<RuleSource['then'], DecisionReason> = {
  allow: 'rule-allowed',
  deny: 'rule-denied',
  hold: 'rule-held',
}

/** What a condition can see: what the actions of every resource of its rule have. */
function scopeOf(resources: readonly KnownResource[]): Omit<Scope, 'parameters' | 'usage'> {
  return {
    namespaces: common(resources.map(({ protocol }) => namespacesOf(protocol))),
    facts: common(resources.map(({ facts }) => facts)),
  }
}

/**
 * For a rule with a mistake in `on` or `what`: that mistake is enough, and is not told again as one
 * in the condition.
 */
function widestScope({ resources }: Known): Omit<Scope, 'parameters' | 'usage'> {
  return {
    namespaces: Object.keys(namespaces) as Namespace[],
    facts: [...new Set(resources.flatMap(({ facts }) => facts))],
  }
}

function common<Item>(lists: readonly (readonly Item[])[]): readonly Item[] {
  const [first = [], ...rest] = lists
  return first.filter((item) => rest.every((list) => list.includes(item)))
}

function compileWhen(
  rule: ReadRule,
  scope: Scope,
  expressions: ExpressionCompiler,
): Expression | null {
  const { when } = rule.keys
  if (when === undefined) return null
  const compiled = expressions.compile(when, scope)
  if ('evaluate' in compiled) return compiled
  for (const { message, offset, remedy } of compiled) {
    report(rule, rule.yaml.placeWithin([...rule.path, 'when'], offset), message, remedy)
  }
  return null
}

function requirementOf({ name, risk, approval }: RuleSource): Requirement | null {
  if (!approval) return null
  const { from, quorum, break_glass, expires, scope, channels, remind, escalate } = approval
  return {
    rule: name,
    from,
    quorum,
    ...(break_glass && { breakGlass: break_glass.from }),
    expiresMs: expires,
    scope,
    channels,
    ...(remind !== undefined && { remindMs: remind }),
    ...(escalate && { escalate: { afterMs: escalate.after, to: escalate.to } }),
    risk,
  }
}
