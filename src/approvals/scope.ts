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
 * What a vote grants: this one run; all alike runs, for some minutes; or all alike runs on the
 * connection that asked, until it ends.
 */
export type Scope = z.output<typeof scopeSchema>

/** What may be granted beyond one run. */
export interface Extended {
  /** Whether it is limited to the connection that asked, and ends with it. */
  readonly session: boolean
  /** The most minutes, counted from the vote. */
  readonly minutes: number
  /** Attributes whose values have to be the same; if empty, the digest has to be. */
  readonly match: readonly string[]
}

/**
 * The most minutes for which a session is granted. A connection can be kept open for weeks, and
 * nobody means to decide that far ahead.
 */
export const longestSession = 12 * 60

/**
 * What may be granted beyond one run: for some minutes, and for the connection that asks, if there
 * is one (`connected`). Every rule has to offer it, and the narrowest offer wins. An offer of
 * minutes includes the same on one connection, so a rule that offers minutes and one that offers
 * the session together offer a session that ends after those minutes.
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
 * What all of these include: limited to the connection if any is, for the fewest minutes, with
 * every attribute the same that any of them names. `null` stands for one run, the narrowest of all:
 * where there are none, or one is `undefined`.
 */
function narrowest(all: readonly (Extended | undefined)[]): Extended | null {
  const each = all.filter((one) => one !== undefined)
  if (each.length === 0 || each.length < all.length) return null
  // An equal digest is the narrowest match.
  const exact = each.some(({ match }) => match.length === 0)
  return {
    session: each.some(({ session }) => session),
    minutes: Math.min(...each.map(({ minutes }) => minutes)),
    match: exact ? [] : [...new Set(each.flatMap(({ match }) => match))].toSorted(),
  }
}

/** The offer that a vote chose; `undefined` for `once`, and for what is not offered. */
export function chosenOf(scope: Scope, offers: readonly Extended[]): Extended | undefined {
  if (scope === 'once') return undefined
  if ('session' in scope) return offers.find(({ session }) => session)
  const offer = offers.find(({ session }) => !session)
  return offer && scope.minutes <= offer.minutes ? { ...offer, minutes: scope.minutes } : undefined
}

/** What all approvers agree to, which is the narrowest of their votes; `null` for one run. */
export function grantedScope(
  scopes: readonly Scope[],
  offers: readonly Extended[],
): Extended | null {
  return narrowest(scopes.map((scope) => chosenOf(scope, offers)))
}

/**
 * The values that have to be the same, by path (`http.path`); `null` where one is unknown, because
 * then nothing is alike.
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
