import { isDeepStrictEqual } from 'node:util'
import { z } from 'zod'
import { Unknown, type Action, type Attribute } from '../core/action.ts'
import type { Requirement, ScopeOption } from '../core/decision.ts'
import { parseJson } from '../core/parse-json.ts'

/** What a vote grants, in the shape of the API. */
export const scopeSchema = z.union([
  z.literal('once'),
  z.strictObject({ minutes: z.int().min(1) }),
  z.strictObject({ session: z.literal(true) }),
])

/**
 * This one run; what the rules call alike, for some minutes; or that on the connection alone that
 * asked, until it ends.
 */
export type Scope = z.output<typeof scopeSchema>

/** What may be granted beyond one run. */
export interface Extended {
  /** On no other connection than the one that asked, and not beyond its end. */
  readonly session: boolean
  /** At most so many, from the vote on. */
  readonly minutes: number
  /** For actions that have the same values here; nothing listed means the same digest. */
  readonly match: readonly string[]
}

/**
 * Minutes that a session is granted for at most: a connection can be kept open for weeks, and
 * nobody means to decide that far ahead.
 */
export const longestSession = 12 * 60

/**
 * What may be granted beyond one run: for some minutes, and for the connection that asks, if there
 * is one (`connected`). Over several rules the narrowest wins (`narrowest`): each of them has to
 * offer it. What a rule grants for minutes contains the same on one connection, so a rule with
 * minutes and one with the session make a session that ends after the minutes.
 */
export function offeredScopes(
  requirements: readonly Requirement[],
  connected: boolean,
): readonly Extended[] {
  const minutes = narrowest(requirements.map(({ scope }) => minutesIn(scope)))
  const session = narrowest(requirements.map(({ scope }) => sessionIn(scope) ?? minutesIn(scope)))
  return [...(minutes ? [minutes] : []), ...(connected && session?.session ? [session] : [])]
}

function minutesIn(scope: readonly ScopeOption[]): Extended | undefined {
  const option = scope.find(({ kind }) => kind === 'minutes')
  return option?.kind === 'minutes'
    ? { session: false, minutes: option.minutes, match: option.match }
    : undefined
}

function sessionIn(scope: readonly ScopeOption[]): Extended | undefined {
  const option = scope.find(({ kind }) => kind === 'session')
  return option?.kind === 'session'
    ? { session: true, minutes: longestSession, match: option.match }
    : undefined
}

/**
 * What all of them contain: on the one connection if any says so, for the fewest minutes, with
 * everything the same that any of them wants to be. `null` stands for one run, which is narrower
 * than anything else: where there is none, or one of them is `undefined`.
 */
function narrowest(all: readonly (Extended | undefined)[]): Extended | null {
  const each = all.filter((one) => one !== undefined)
  if (each.length === 0 || each.length < all.length) return null
  // The digest is the narrowest of all.
  const exact = each.some(({ match }) => match.length === 0)
  return {
    session: each.some(({ session }) => session),
    minutes: Math.min(...each.map(({ minutes }) => minutes)),
    match: exact ? [] : [...new Set(each.flatMap(({ match }) => match))].toSorted(),
  }
}

/** What a vote chose of what is offered, or `undefined`: for `once`, and for what nobody offers. */
export function chosenOf(scope: Scope, offers: readonly Extended[]): Extended | undefined {
  if (scope === 'once') return undefined
  if ('session' in scope) return offers.find(({ session }) => session)
  const offer = offers.find(({ session }) => !session)
  return offer && scope.minutes <= offer.minutes ? { ...offer, minutes: scope.minutes } : undefined
}

/** What all approvers agree to: the narrowest of their votes. `null` stands for one run. */
export function grantedScope(
  scopes: readonly Scope[],
  offers: readonly Extended[],
): Extended | null {
  return narrowest(scopes.map((scope) => chosenOf(scope, offers)))
}

/**
 * The values that have to be the same, by path (`http.path`), or `null` where one is unknown: then
 * nothing can be said to be alike.
 */
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
  return values !== null && isDeepStrictEqual(parseJson(JSON.stringify(values)), granted)
}
