import type { Party } from '../core/subject.ts'
import { Refusal } from './refusal.ts'

/**
 * Longer names and deeper chains are no identities, but attacks on whatever stores and shows them.
 */
const longestName = 512
const longestChain = 10
/** The deepest nesting, a fraction of what an audit event can have. */
const deepest = 32

export type Claims = Readonly<Record<string, unknown>>

/** A claim that the issuer wrote. `toString` is absent unless it did. */
export function claim(claims: Claims, name: string): unknown {
  return Object.hasOwn(claims, name) ? claims[name] : undefined
}

/**
 * A name that can be compared, stored and shown: not empty, bounded, well-formed, without control
 * characters. Any other is refused and never mended, because two subjects could then be taken for
 * one. Throws a `Refusal`.
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

/** The groups in a claim, which is one name or a list; none when it is absent. */
export function groupsOf(claims: Claims, name: string): readonly string[] {
  // Closed: groups that are kept elsewhere (distributed claims, OpenID Connect Core 1.0, §5.6.2)
  // are not the same as no groups, or a rule that denies a group would not match.
  const elsewhere = claim(claims, '_claim_names')
  if (isObject(elsewhere) && Object.hasOwn(elsewhere, name)) throw badClaim(`${name}, left out`)
  const value = claim(claims, name)
  // The same from Microsoft Entra, whose short tokens do not say where the groups are.
  const left = name === 'groups' && value === undefined && claim(claims, 'hasgroups') !== undefined
  if (left) throw badClaim(`${name}, left out`)
  if (value === undefined) return []
  const list: unknown[] = Array.isArray(value) ? value : [value]
  return list.map((group) => nameOf(group, name))
}

/** The human owner: a name at the same issuer, or `{iss, sub}` at another; `null` when absent. */
export function ownerOf(claims: Claims, name: string | undefined, issuer: string): Party | null {
  const value = name === undefined ? undefined : claim(claims, name)
  if (value === undefined) return null
  if (typeof value === 'string') return { issuer, subject: nameOf(value, name!) }
  return partyOf(value, name!, issuer)
}

/**
 * The actors, from the current one to the first (RFC 8693 §4.1). An actor without `iss` has the
 * token's issuer.
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

/** An issuer, which must not have blanks, because `partyKey` joins issuer and subject with one. */
function issuerOf(value: unknown, what: string): string {
  const issuer = nameOf(value, what)
  if (/\s/.test(issuer)) throw badClaim(what)
  return issuer
}

/**
 * Refuses what no audit event can hold: NUL, lone surrogates, numbers that no double can hold,
 * excessive nesting. Closed: whatever such a subject tried could not be recorded, and would leave
 * no trace.
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
