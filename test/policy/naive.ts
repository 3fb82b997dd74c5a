import { Unknown, type Action, type Attribute } from '../../src/core/action.ts'
import type { JsonObject } from '../../src/core/json.ts'
import type { Party } from '../../src/core/subject.ts'

/**
 * A second evaluator, written from docs/policies.md without a look at the first: one rule after the other, no index, nothing prepared.
 * It has to be obvious, not fast.
 */

type Values = readonly (string | number | boolean | null)[]
type Fields = { readonly [field: string]: Values | Fields }

export interface NaiveRule {
  readonly name: string
  readonly then: 'allow' | 'deny' | 'hold'
  readonly risk: 'low' | 'medium' | 'high'
  readonly reason?: string
  readonly who?: {
    readonly group?: readonly string[]
    readonly kind?: readonly string[]
    readonly subject?: readonly string[]
    readonly issuer?: readonly string[]
    readonly owner?: readonly string[]
  }
  readonly what?: {
    readonly method?: readonly string[]
    readonly path?: readonly string[]
    readonly json?: Fields
  }
  /** Holds when the number in this field is above 10. */
  readonly whenAboveTen?: string
}

type Answer = 'yes' | 'no' | 'unknown'

export function naiveDecide(action: Action, rules: readonly NaiveRule[]) {
  const matched = rules
    .map((rule) => ({ rule, result: naiveMatch(rule, action) }))
    .filter(({ result }) => result !== 'no')
    .toSorted((a, b) => (a.rule.name < b.rule.name ? -1 : 1))
  const denying = matched.filter(({ rule, result }) => rule.then === 'deny' || result === 'failed')
  const holding = matched.filter(({ rule }) => rule.then === 'hold')
  const allowing = matched.filter(({ rule }) => rule.then === 'allow')
  const conclude = (verdict: string, list: typeof matched, reason?: string) => ({
    verdict,
    rules: list.map(({ rule }) => rule.name),
    reason: reason ?? worstReason(list),
  })
  if (denying.length > 0) return conclude('deny', denying)
  if (holding.length > 0) {
    const { issuer, subject, kind, owner, chain } = action.subject
    const forItself = chain.some((one) => one.issuer === issuer && one.subject === subject)
    const known = kind === 'human' || owner !== null || (chain.length > 0 && !forItself)
    return known ? conclude('hold', holding) : conclude('deny', holding, 'owner-unknown')
  }
  if (allowing.length > 0) return conclude('allow', allowing)
  return conclude('deny', [], 'no-rule-matched')
}

function worstReason(list: readonly { rule: NaiveRule; result: string }[]): string {
  for (const risk of ['high', 'medium', 'low']) {
    const found = list.find(({ rule }) => rule.risk === risk)
    if (!found) continue
    if (found.result === 'failed') return 'condition-failed'
    const said = { allow: 'rule-allowed', deny: 'rule-denied', hold: 'rule-held' }
    return found.rule.reason ?? said[found.rule.then]
  }
  throw new Error('There is no rule.')
}

function naiveMatch(rule: NaiveRule, action: Action): 'yes' | 'no' | 'failed' {
  const allow = rule.then === 'allow'
  const answers = [...who(rule, action, allow), ...what(rule, action, allow)]
  for (const answer of answers) {
    if (answer === 'no' || (answer === 'unknown' && allow)) return 'no'
  }
  if (rule.whenAboveTen === undefined) return 'yes'
  const { json } = action.attributes.http ?? {}
  const value = isObject(json) ? json[rule.whenAboveTen] : undefined
  if (typeof value !== 'number') return allow ? 'no' : 'failed'
  return value > 10 ? 'yes' : 'no'
}

function who({ who: wanted = {} }: NaiveRule, { subject }: Action, allow: boolean): Answer[] {
  const answers: Answer[] = []
  const { group, kind, owner } = wanted
  if (group) answers.push(subject.groups.some((name) => group.includes(name)) ? 'yes' : 'no')
  if (kind) answers.push(kind.includes(subject.kind) ? 'yes' : 'no')
  if (wanted.subject ?? wanted.issuer) {
    const fits = (party: Party) =>
      (wanted.subject?.includes(party.subject) ?? true) &&
      (wanted.issuer?.includes(party.issuer) ?? true)
    const parties = [subject, ...subject.chain]
    answers.push((allow ? parties.every(fits) : parties.some(fits)) ? 'yes' : 'no')
  }
  if (owner) {
    const mine = subject.owner
    if (mine === null) answers.push(subject.kind === 'human' ? 'no' : 'unknown')
    else answers.push('subject' in mine && owner.includes(mine.subject) ? 'yes' : 'no')
  }
  return answers
}

function what({ what: wanted = {} }: NaiveRule, action: Action, allow: boolean): Answer[] {
  const { method, path, json } = action.attributes.http ?? {}
  const answers: Answer[] = []
  if (wanted.method) {
    if (typeof method !== 'string') answers.push('unknown')
    else if (allow) answers.push(wanted.method.includes(method) ? 'yes' : 'no')
    else {
      const name = method.toUpperCase()
      const also = name === 'HEAD' && wanted.method.includes('GET')
      answers.push(also || wanted.method.includes(name) ? 'yes' : 'no')
    }
  }
  if (wanted.path) {
    if (typeof path !== 'string') answers.push('unknown')
    else answers.push(wanted.path.some((glob) => fitsPath(glob, path, allow)) ? 'yes' : 'no')
  }
  if (wanted.json) answers.push(fitsFields(wanted.json, json, allow))
  return answers
}

function fitsPath(glob: string, path: string, exact: boolean): boolean {
  const plain = (text: string) =>
    exact ? text : `/${text.toLowerCase().split('/').filter(Boolean).join('/')}`
  const source = plain(glob)
    .split('/')
    .slice(1)
    .map((segment) => {
      if (segment === '**') return '(/[^/]*)*'
      if (segment === '*' || segment.startsWith(':')) return '/[^/]+'
      return `/${segment.replaceAll('.', '[.]').replace('*', '[^/]*')}`
    })
    .join('')
  const pattern = new RegExp(`^${source}$`)
  if (exact) return pattern.test(path)
  return pattern.test(plain(path)) || pattern.test(plain(decodeURIComponent(path)))
}

function fitsFields(wanted: Fields | Values, value: Attribute | undefined, allow: boolean): Answer {
  if (value === undefined || value instanceof Unknown) return 'unknown'
  if (Array.isArray(value)) {
    const answers = (value as readonly Attribute[]).map((item) =>
      Array.isArray(item) ? 'unknown' : fitsFields(wanted, item, allow),
    )
    if (answers.length === 0) return 'unknown'
    if (answers.includes(allow ? 'no' : 'yes')) return allow ? 'no' : 'yes'
    if (answers.includes('unknown')) return 'unknown'
    return allow ? 'yes' : 'no'
  }
  if (isObject(value)) {
    if (Array.isArray(wanted)) return 'unknown'
    const answers = Object.entries(wanted as Fields).map(([field, inner]) =>
      fitsFields(inner, value[field], allow),
    )
    if (answers.includes('no')) return 'no'
    return answers.includes('unknown') ? 'unknown' : 'yes'
  }
  if (!Array.isArray(wanted)) return 'unknown'
  const alike = (wanted as Values).filter(
    (one) => typeof one === typeof value && (one === null) === (value === null),
  )
  if (alike.length === 0) return 'unknown'
  const same = alike.some((one) => (allow ? one === value : caseless(one) === caseless(value)))
  return same ? 'yes' : 'no'
}

function caseless(value: unknown): unknown {
  return typeof value === 'string' ? value.toLowerCase() : value
}

function isObject(value: Attribute | undefined): value is JsonObject {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof Unknown)
  )
}
