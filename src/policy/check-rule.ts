import { gatewayItself } from '../core/gateway-itself.ts'
import { namespaces, namespacesOf, type KnownResource } from './attributes.ts'
import type { Known } from './known.ts'
import { report, type ReadRule } from './read-rules.ts'
import { kindsOf } from './resolve-resources.ts'

/** Reports what is wrong between the keys of one rule, and with what they refer to. */
export function checkRule(
  rule: ReadRule,
  resources: readonly KnownResource[],
  { channels = [], elsewhere = false }: Known,
): void {
  checkNarrowing(rule)
  checkPresence(rule)
  checkQuorum(rule)
  if (!elsewhere) checkChannels(rule, ['console', ...channels])
  checkGateway(rule, resources)
  checkAllowedVerbs(rule)
  checkScope(rule, resources)
}

/** Whoever has the role may do it; a rule can only ask for more. */
function checkGateway(rule: ReadRule, resources: readonly KnownResource[]): void {
  if (rule.keys.then !== 'allow' || !resources.some(({ name }) => name === gatewayItself)) return
  const message =
    'What is done to the gateway is allowed by the roles; a rule can only ask for more.'
  report(rule, ['then'], message, 'Write then: hold, or then: deny.')
}

/**
 * In an allow rule the lists say what may be touched, and a statement may touch nothing of the
 * kind: `DROP TABLE` calls no function, and names no column.
 */
function checkAllowedVerbs(rule: ReadRule): void {
  const { then, what } = rule.keys
  if (then !== 'allow' || !what?.sql || what.sql.verb) return
  if (!what.sql.columns && !what.sql.functions) return
  const message = 'This allows DELETE and DROP too: they name no column, and call no function.'
  report(rule, ['what', 'sql'], message, 'Write what is meant, as in verb: select.')
}

function checkNarrowing(rule: ReadRule): void {
  const { who, what } = rule.keys
  if (who && Object.keys(who).length === 0) {
    report(rule, ['who'], '`who` names nobody.', 'Leave it out if the rule is about everybody.')
  }
  if (what && kindsOf(what).length !== 1) {
    const remedy = 'Write http, sql, mcp, tcp or admin; for two of them, write two rules.'
    report(rule, ['what'], '`what` has to be about one kind of action.', remedy)
  }
}

function checkPresence(rule: ReadRule): void {
  const { yaml, path, keys } = rule
  const { then } = keys
  // Not `keys.approval`: of an approval with a mistake in it, that mistake is told, not that it is
  // missing.
  const written = rule.written.includes('approval')
  if (then === 'hold' && !written) {
    const remedy = 'Say who may approve, as in: approval: { from: { group: leads } }'
    report(rule, ['then'], 'A rule that holds needs an `approval`.', remedy)
  }
  if ((then === 'allow' || then === 'deny') && written) {
    const place = yaml.keyPlace([...path, 'approval'])
    report(rule, place, `A rule that says ${then} has no approval.`, 'Write then: hold.')
  }
}

function checkQuorum(rule: ReadRule): void {
  const { approval } = rule.keys
  if (!approval || !('people' in approval.from)) return
  const people = new Set(approval.from.people.map((one) => JSON.stringify(one)))
  if (approval.quorum <= people.size) return
  const message = `${approval.quorum} people cannot be found among ${people.size}.`
  report(rule, ['approval', 'quorum'], message, 'Name more people, or a group.')
}

function checkChannels(rule: ReadRule, known: readonly string[]): void {
  const { channels = [], escalate } = rule.keys.approval ?? {}
  const named = [
    ...channels.map((channel, index) => ({ channel, place: ['channels', index] })),
    ...(escalate?.to ?? []).map((channel, index) => ({
      channel,
      place: ['escalate', 'to', index],
    })),
  ]
  for (const { channel, place } of named) {
    if (known.some((one) => isAt(one, channel))) continue
    const here = known.map((one) => (one.endsWith(':') ? `${one}…` : one)).join(', ')
    const remedy = `Channels here: ${here}. Set it up first, or take it out.`
    report(rule, ['approval', ...place], `There is no channel "${channel}".`, remedy)
  }
}

function isAt(known: string, channel: string): boolean {
  return known.endsWith(':')
    ? channel.startsWith(known) && channel.length > known.length
    : channel === known
}

function checkScope(rule: ReadRule, resources: readonly KnownResource[]): void {
  if (resources.length === 0) return
  const kinds = [...new Set(resources.flatMap(({ protocol }) => namespacesOf(protocol)))]
  const attributes = kinds.flatMap((kind) =>
    Object.keys(namespaces[kind]).map((name) => `${kind}.${name}`),
  )
  for (const [index, option] of (rule.keys.approval?.scope ?? []).entries()) {
    const place = ['approval', 'scope', index]
    if (option.kind === 'session' && kinds.includes('http')) {
      const remedy = 'Grant some minutes instead: { minutes: 15, match: [http.path] }.'
      report(rule, place, 'HTTP has no sessions.', remedy)
    }
    for (const attribute of 'match' in option ? option.match : []) {
      if (attributes.includes(attribute)) continue
      const remedy = `Attributes here: ${attributes.join(', ')}.`
      report(rule, place, `There is no attribute "${attribute}".`, remedy)
    }
  }
}
