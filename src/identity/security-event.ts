import { claim, nameOf, type Claims } from './claims.ts'

/** What a security event token says, as far as it is acted on. */
export interface SecurityEvent {
  readonly what: 'sessions' | 'disabled' | 'enabled'
  /** Whom it is about: a name, and its issuer where the event says one. */
  readonly name: string
  readonly issuer: string | null
  readonly at: Date
}

const caep = 'https://schemas.openid.net/secevent/caep/event-type/'
const risc = 'https://schemas.openid.net/secevent/risc/event-type/'

/** Purged is disabled for good: an account that comes back under that name is enabled first. */
const meanings: Readonly<Record<string, SecurityEvent['what']>> = {
  [`${caep}session-revoked`]: 'sessions',
  [`${risc}sessions-revoked`]: 'sessions',
  [`${risc}account-disabled`]: 'disabled',
  [`${risc}account-purged`]: 'disabled',
  [`${risc}account-enabled`]: 'enabled',
}

/** An event that says something that has to be acted on, in a way that cannot be. */
export class UnreadableEvent extends Error {
  override readonly name = 'UnreadableEvent'
}

/**
 * Reads the events of a verified token (RFC 8417, §2.2) that mean something here; others, such as
 * the verification of a stream, are none. Throws `UnreadableEvent` when one does and it is not
 * clear whom it is about: its transmitter has to learn that nobody was stopped.
 */
export function readSecurityEvents(claims: Claims): SecurityEvent[] {
  const events = claim(claims, 'events')
  if (!isObject(events)) throw new UnreadableEvent('events is missing')
  return Object.entries(events)
    .filter(([type]) => Object.hasOwn(meanings, type))
    .map(([type, payload]) => {
      if (!isObject(payload)) throw new UnreadableEvent(`the event ${type} is no object`)
      // Shared Signals Framework 1.0, §3; drafts before it had the subject inside of the event.
      const about = claim(claims, 'sub_id') ?? claim(payload, 'subject')
      return { what: meanings[type]!, ...whoIs(about), at: timeOf(claims, payload) }
    })
}

/**
 * Subject identifiers (RFC 9493, §3), and complex ones (Shared Signals Framework 1.0, §3.3): the
 * user in it, whatever else narrows it down.
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
      // Ending more than the one session that is meant keeps somebody out; ending less would let
      // somebody in.
      return whoIs(claim(about, 'user'))
    default:
      throw new UnreadableEvent('sub_id has a format that is not known here')
  }
}

/** CAEP 1.0, §2; RFC 8417, §2.2. The newest that it says is not needed: an older one ends less. */
function timeOf(claims: Claims, payload: Claims): Date {
  const said = claim(payload, 'event_timestamp') ?? claim(claims, 'toe') ?? claim(claims, 'iat')
  if (typeof said !== 'number' || !(Math.abs(said) <= 8.64e12))
    throw new UnreadableEvent('the event has no time')
  return new Date(said * 1000)
}

function isObject(value: unknown): value is Claims {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
