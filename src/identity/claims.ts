import type { Party } from '../core/subject.ts'
import { Refusal } from './refusal.ts'

/**
 * Longer names and deeper chains are no identities but attacks on whoever stores and shows them.
 */
const longestName = 512
const longestChain = 10
/** Levels of nesting: a fraction of what an audit event can have. */
const deepest = 32

export type Claims = Readonly<Record<string, unknown>>

/**
 * A member of the claims themselves: a claim called `toString` is absent unless the issuer wrote
 * it.
 */
export function claim(claims: Claims, name: string): unknown {
  return Object.hasOwn(claims, name) ? claims[name] : undefined
}

/**
 * A name that can be compared, stored and shown: not empty, bounded, well-formed, without control
 * characters. Refused otherwise and never mended: two names that look alike after mending would be
 * two subjects that are taken for one.
 */
export function nameOf(value: unknown, what: string): string {
  const good =
    typeof value === 'string' &&
    value.length > 0 &&
    value.length <= longestName &&
    value.isWellFormed() &&
    !/\p{Cc}/u.test(value)
  if (!good) throw badClaim(what)
  return value
}

/** One group or a list of them; none when absent. */
export function groupsOf(claims: Claims, name: string): readonly string[] {
  // Groups that are elsewhere (distributed claims, OpenID Connect Core 1.0, §5.6.2) are not none: a
  // rule that denies a group would not match. Closed.
  const elsewhere = claim(claims, '_claim_names')
  if (isObject(elsewhere) && Object.hasOwn(elsewhere, name)) throw badClaim(`${name}, left out`)
  const value = claim(claims, name)
  // The same from Microsoft Entra, where a token is too short for saying where they are.
  const left = name === 'groups' && value === undefined && claim(claims, 'hasgroups') !== undefined
  if (left) throw badClaim(`${name}, left out`)
  if (value === undefined) return []
  const list: unknown[] = Array.isArray(value) ? value : [value]
  return list.map((group) => nameOf(group, name))
}

/** A human owner: a name at the same issuer, or `{iss, sub}` of another one; `null` when absent. */
export function ownerOf(claims: Claims, name: string | undefined, issuer: string): Party | null {
  const value = name === undefined ? undefined : claim(claims, name)
  if (value === undefined) return null
  if (typeof value === 'string') return { issuer, subject: nameOf(value, name!) }
  return partyOf(value, name!, issuer)
}

/**
 * The actors, from the current one to the first (RFC 8693, §4.1). An actor without an `iss` is of
 * the token's issuer.
 */
export function chainOf(claims: Claims, issuer: string): readonly Party[] {
  const chain: Party[] = []
  for (let act = claim(claims, 'act'); act !== undefined; act = claim(act as Claims, 'act')) {
    if (chain.length === longestChain) throw badClaim(`act, more than ${longestChain} deep`)
    chain.push(partyOf(act, 'act', issuer))
  }
  return chain
}

function partyOf(value: unknown, what: string, issuer: string): Party {
  if (!isObject(value)) throw badClaim(what)
  const iss = claim(value, 'iss')
  return {
    issuer: iss === undefined ? issuer : issuerOf(iss, `${what}.iss`),
    subject: nameOf(claim(value, 'sub'), `${what}.sub`),
  }
}

/** Without blanks: issuer and subject are joined by one where a party is a key (`partyKey`). */
function issuerOf(value: unknown, what: string): string {
  const issuer = nameOf(value, what)
  if (/\s/.test(issuer)) throw badClaim(what)
  return issuer
}

/**
 * Refuses what no audit event can hold: NUL, lone surrogates, numbers beyond any double, bottomless
 * nesting. Closed: whatever such a subject tried would be refused for want of a record, and so
 * leave none.
 */
export function refuseUnrecordable(claims: Claims): void {
  for (const [name, value] of Object.entries(claims)) {
    if (!isRecordable(name)) throw badClaim('with a name that cannot be recorded')
    if (!isRecordable(value)) throw badClaim(name)
  }
}

function isRecordable(value: unknown, depth = 0): boolean {
  if (typeof value === 'string') return value.isWellFormed() && !value.includes('\0')
  if (typeof value === 'number') return Number.isFinite(value)
  if (typeof value !== 'object' || value === null) return true
  if (depth === deepest) return false
  return Object.entries(value).every(
    ([name, inner]) => isRecordable(name) && isRecordable(inner, depth + 1),
  )
}

function isObject(value: unknown): value is Claims {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * Closed: a claim that cannot be read could have excluded somebody, or matched a rule that denies.
 */
export function badClaim(what: string): Refusal {
  return new Refusal('bad-claims', { about: what })
}
