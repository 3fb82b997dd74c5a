import { decodeJwt, errors, jwtVerify, type JWTPayload } from 'jose'
import type { TransmitterConfig } from '../config/schema.ts'
import type { EventInput, EventType } from '../core/event.ts'
import type { Subject } from '../core/subject.ts'
import { StoreError, type Queryable, type Store } from '../store/db.ts'
import type { Log } from '../telemetry/log.ts'
import { endSubject } from './end-subject.ts'
import { subjectsEnded } from './ended-subjects.ts'
import { IssuerUnavailable } from './issuer-keys.ts'
import type { Recorder } from './recorder.ts'
import { readSecurityEvents, UnreadableEvent, type SecurityEvent } from './security-event.ts'
import { transmitterKeys } from './transmitter-keys.ts'
import { useOnce } from './used-once.ts'

/** Why an event was not taken: the codes of RFC 8935, §2.4. */
export type EventRefusal =
  | 'invalid_request'
  | 'invalid_key'
  | 'invalid_issuer'
  | 'invalid_audience'
  | 'authentication_failed'

/** The event was not taken. Its transmitter learns from this that nobody was stopped. */
export class EventRefused extends Error {
  override readonly name = 'EventRefused'
  readonly code: EventRefusal

  constructor(code: EventRefusal, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/**
 * The greatest age of an event that is still taken, in milliseconds. Its id is remembered for
 * longer than that, so that no event counts twice.
 */
const latest = 7 * 24 * 3_600_000
const skew = 60_000
const longest = 32_768
const algorithms = ['RS256', 'PS256', 'ES256', 'EdDSA']

export interface EventDesk {
  readonly transmitters: readonly TransmitterConfig[]
  readonly store: Store
  readonly recorder: Recorder
  readonly log: Log
}

/**
 * Takes one security event token. Rejects with `EventRefused`, or with `StoreError` and
 * `IssuerUnavailable` when it should be sent again.
 */
export type ReceiveEvent = (token: string) => Promise<void>

/**
 * Takes security events that are pushed (RFC 8417, RFC 8935): session-revoked (CAEP 1.0),
 * account-disabled and similar ones (RISC 1.0). Once this has resolved, the event is durable and on
 * record. Every replica acts on it within a second, and every use of an approval at once.
 */
export function createEventReceiver({
  transmitters,
  store,
  recorder,
  log,
}: EventDesk): ReceiveEvent {
  const known = new Map(
    transmitters.map((config) => [config.issuer, { config, keys: transmitterKeys(config, log) }]),
  )

  return async (token) => {
    const transmitter = known.get(claimedIssuer(token))
    if (!transmitter) throw new EventRefused('invalid_issuer', 'The issuer is not configured here.')
    const { config, keys } = transmitter
    const payload = await verified(token, config, keys)
    const events = eventsIn(payload, config)
    await store.tx(async (tx) => {
      const forgotten = new Date(Date.now() + 2 * latest)
      // The transmitter sent it again because our answer was lost. The answer is still that it was
      // taken.
      if (!(await useOnce(tx, ['set', config.issuer, payload.jti!], forgotten))) return
      for (const event of events) await act(tx, config, event)
    })
    recorder.linkWritten()
    try {
      await store.notify(subjectsEnded, '')
    } catch (error) {
      // Nothing is lost: every replica also looks by itself, twice a second.
      log.warn({ err: error }, 'the news of an ended session could not be sent')
    }
  }

  async function act(
    tx: Queryable,
    { issuer, about }: TransmitterConfig,
    { what, name, at }: SecurityEvent,
  ): Promise<void> {
    await endSubject(tx, { issuers: about, name, at, what })
    const details = { transmitter: issuer, at: at.toISOString() }
    await recorder.write(tx, {
      type: types[what],
      subject: whoEnded(about[0]!, name),
      details,
    } satisfies EventInput)
  }
}

const types: Readonly<Record<SecurityEvent['what'], EventType>> = {
  sessions: 'identity.session_revoked',
  disabled: 'identity.account_disabled',
  enabled: 'identity.account_enabled',
}

/**
 * The subject for the audit event only: a security event does not say what kind of subject it is
 * about.
 */
function whoEnded(issuer: string, subject: string): Subject {
  const nothing = { groups: [], owner: null, chain: [], related: [], claims: {} }
  return { issuer, subject, kind: 'human', ...nothing }
}

/** The issuer that the unverified token names. It only decides whose keys have to prove it. */
function claimedIssuer(token: string): string {
  try {
    if (token.length <= longest) return decodeJwt(token).iss ?? ''
  } catch (cause) {
    throw new EventRefused('invalid_request', 'This is no security event token.', { cause })
  }
  throw new EventRefused('invalid_request', 'This is too long for a security event token.')
}

async function verified(
  token: string,
  { issuer, audience }: TransmitterConfig,
  keys: ReturnType<typeof transmitterKeys>,
): Promise<JWTPayload> {
  try {
    const { payload } = await jwtVerify(token, keys, {
      // So that no other kind of token from the same issuer passes for a security event (RFC 8417,
      // §4.5).
      typ: 'secevent+jwt',
      issuer,
      audience,
      algorithms,
      requiredClaims: ['jti', 'iat'],
      clockTolerance: skew / 1000,
    })
    return payload
  } catch (cause) {
    if (cause instanceof IssuerUnavailable || cause instanceof StoreError) throw cause
    if (cause instanceof errors.JWTClaimValidationFailed && cause.claim === 'aud')
      throw new EventRefused('invalid_audience', 'This event is for somebody else.', { cause })
    if (cause instanceof errors.JWKSNoMatchingKey)
      throw new EventRefused('invalid_key', 'The transmitter has no such key.', { cause })
    throw new EventRefused('authentication_failed', 'This event cannot be verified.', { cause })
  }
}

function eventsIn(payload: JWTPayload, { about, issuer }: TransmitterConfig): SecurityEvent[] {
  const now = Date.now()
  const { jti, iat = NaN } = payload
  const issued = iat * 1000
  if (typeof jti !== 'string' || jti === '' || !(issued > now - latest && issued < now + skew))
    throw new EventRefused('invalid_request', 'This event has no id, or is from another time.')
  try {
    const events = readSecurityEvents(payload)
    const foreign = events.some(
      (event) => event.issuer !== null && ![...about, issuer].includes(event.issuer),
    )
    if (!foreign) return events
  } catch (cause) {
    if (!(cause instanceof UnreadableEvent)) throw cause
    throw new EventRefused('invalid_request', `This event cannot be acted on: ${cause.message}.`, {
      cause,
    })
  }
  throw new EventRefused('invalid_request', 'This event is about a subject of another issuer.')
}
