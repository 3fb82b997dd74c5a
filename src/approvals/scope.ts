import { isDeepStrictEqual } from 'node:util'
import { Unknown, type Action, type Attribute } from '../core/action.ts'
import type { Requirement, ScopeOption } from '../core/decision.ts'

/** What a vote grants: this one run, or what the rules call alike, for some minutes. */
export type Scope = 'once' | { readonly minutes: number }

/** For some minutes, and for actions that have the same values here; nothing listed means the same digest. */
export type Extended = Extract<ScopeOption, { kind: 'minutes' }>

/**
 * The widest that may be granted beyond one run, or `null`. Over several rules the narrowest wins: each of them has to offer it, the fewest
 * minutes count, and everything that any of them wants to be the same has to be.
 */
export function offeredScope(requirements: readonly Requirement[]): Extended | null {
  const offers = requirements.map(({ scope }) => scope.find((option) => option.kind === 'minutes'))
  if (offers.length === 0 || offers.some((offer) => offer === undefined)) return null
  const all = offers as Extended[]
  // The digest is the narrowest of all.
  const exact = all.some(({ match }) => match.length === 0)
  return {
    kind: 'minutes',
    minutes: Math.min(...all.map(({ minutes }) => minutes)),
    match: exact ? [] : [...new Set(all.flatMap(({ match }) => match))].toSorted(),
  }
}

/** What all approvers agree to: the narrowest of their votes. `null` stands for one run. */
export function grantedMinutes(scopes: readonly Scope[]): number | null {
  if (scopes.length === 0 || scopes.includes('once')) return null
  return Math.min(...scopes.map((scope) => (scope === 'once' ? 0 : scope.minutes)))
}

/** The values that have to be the same, by path (`http.path`), or `null` where one is unknown: then nothing can be said to be alike. */
export function matchedValues(
  action: Action,
  match: readonly string[],
): Record<string, Attribute> | null {
  const values = match.map((path) => {
    const [protocol, name] = path.split('.') as [string, string]
    return [path, action.attributes[protocol]?.[name]] as const
  })
  if (values.some(([, value]) => value === undefined || hasUnknown(value))) return null
  return Object.fromEntries(values) as Record<string, Attribute>
}

function hasUnknown(value: Attribute | undefined): boolean {
  if (value instanceof Unknown) return true
  if (value === null || typeof value !== 'object') return false
  return Object.values(value).some(hasUnknown)
}

/** Whether this action has exactly the values that were granted. */
export function isAlike(action: Action, granted: Readonly<Record<string, unknown>>): boolean {
  const values = matchedValues(action, Object.keys(granted))
  return values !== null && isDeepStrictEqual(JSON.parse(JSON.stringify(values)), granted)
}
