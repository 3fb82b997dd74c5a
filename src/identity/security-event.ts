import { claim, nameOf, type Claims } from './claims.ts'

/** The part of a security event token that is acted on. */
export interface SecurityEvent {
  readonly what: 'sessions' | 'disabled' | 'enabled'
  /** Whom it is about: a name, and its issuer where the event names one. */
  readonly name: string
  readonly issuer: string | null
  readonly at: Date
}

const caep = 'https://schemas.openid.net/secevent/caep/event-type/'
const risc = 'https://schemas.openid.net/secevent/risc/event-type/'

/**
 * `account-purged` counts as disabled for good. An account that comes back under the same name has
 * to be enabled first.
 */
const meanings: Readonly<Record<string, SecurityEvent['what']>> = {
  [`${caep}session-revoked`]: 'sessions',
  [`${risc}sessions-revoked`]: 'sessions',
  [`${risc}account-disabled`]: 'disabled',
  [`${risc}account-purged`]: 'disabled',
  [`${risc}account-enabled`]: 'enabled',
}

/** Thrown for an event that has to be acted on, but does not say clearly enough how. */
export class UnreadableEvent extends Error {
  override readonly name = 'UnreadableEvent'
}

/**
 * Reads those events of a verified token (RFC 8417, §2.2) that mean something here. Others, such as
 * the verification of a stream, are left out. Throws `UnreadableEvent` when an event does mean
 * something and it is not clear whom it is about: its transmitter has to learn that nobody was
 * stopped.
 */
export function readSecurityEvents(claims: Claims): SecurityEvent[] {
  const events = claim(claims, 'events')
  if (!isObject(events)) throw new UnreadableEvent('events is missing')
  return Object.entries(events)
    .filter(([type]) => Object.hasOwn(meanings, type))
    .map(([type, payload]) => {
      if (!isObject(payload)) throw new UnreadableEvent(`the event ${type} is no object`)
      // Shared Signals Framework 1.0, §3; earlier drafts had the subject inside the event.
      const about = claim(claims, 'sub_id') ?? claim(payload, 'subject')
      return { what: meanings[type]!, ...whoIs(about), at: timeOf(claims, payload) }
    })
}

/**
 * Reads a subject identifier (RFC 9493, §3). Of a complex one (Shared Signals Framework 1.0, §3.3)
 * it takes the user, whatever else in it narrows the subject down.
 */
function whoIs(about: unknown): Pick<SecurityEvent, 'name' | 'issuer'> {
  if (!isObject(about)) throw new UnreadableEvent('sub_id is missing')
  const text = (name: string) => {
    try {
      return nameOf(claim(about, name), name)
    } catch (cause) {
      throw new UnreadableEvent(`sub_id.${name} is no name`, { cause })
    }
  }
  const format = claim(about, 'format')
  switch (format) {
    case 'iss_sub':
      return { name: text('sub'), issuer: text('iss') }
    case 'email':
      return { name: text('email'), issuer: null }
    case 'opaque':
      return { name: text('id'), issuer: null }
    case 'complex':
    case undefined:
      // Closed: ending more sessions than the one that is meant only keeps somebody out; ending
      // fewer would let somebody in.
      return whoIs(claim(about, 'user'))
    default:
      throw new UnreadableEvent('sub_id has a format that is not known here')
  }
}

/**
 * CAEP 1.0, §2; RFC 8417, §2.2. Where the event says several times, the newest is not needed: an
 * older one ends less.
 */
function timeOf(claims: Claims, payload: Claims): Date {
  const said = claim(payload, 'event_timestamp') ?? claim(claims, 'toe') ?? claim(claims, 'iat')
  if (typeof said !== 'number' || !(Math.abs(said) <= 8.64e12))
    throw new UnreadableEvent('the event has no time')
  return new Date(said * 1000)
}

function isObject(value: unknown): value is Claims {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
