import type { Socket } from 'node:net'
import { Problem } from '../../core/errors.ts'
import type { Principal } from '../../core/subject.ts'
import type { Authenticator } from '../../identity/authenticate.ts'
import { clientCertificateOf, type ClientCertificate } from '../../identity/client-certificate.ts'
import type { Presented } from '../../identity/possession.ts'
import { Departed, more, type Arrival } from './accept.ts'
import { readParameters, type StartRequest } from './parameters.ts'
import { Rejection } from './rejection.ts'
import type { PostgresResource } from '../../config/schema.ts'
import { FrontendReader } from './wire/frontend.ts'
import { cstring, int32, message } from './wire/messages.ts'
import { readQuery } from './wire/requests.ts'

/** Bytes of the longest token. */
const longestToken = 64 * 1024

/** The newest minor version of protocol 3 that we speak. */
const newestMinor = 2

/** A client that has proven who it is. */
export interface Guest {
  readonly client: Socket
  readonly minor: number
  readonly start: StartRequest
  /** Empty where the certificate alone was enough. */
  readonly token: string
  readonly principal: Principal
  readonly certificate: ClientCertificate | null
  /** Bytes that came after the password. */
  readonly rest: Buffer
}

type Asking = Pick<Authenticator, 'authenticate' | 'suffices'>

/**
 * Finds out who a client is, by its certificate or by the token that it sends as its password.
 * Rejects with a `Rejection`, or with the authenticator's problem. No connection to the database
 * has been opened by then.
 */
export async function welcome(
  { socket, secure, opening, rest }: Arrival,
  { upstream, trusted, tls }: Pick<PostgresResource, 'upstream' | 'trusted' | 'tls'>,
  authenticator: Asking,
): Promise<Guest> {
  if (opening.kind !== 'start') throw new Departed('Nothing was started.')
  if (!secure && !trusted) throw needsTls(tls !== undefined)
  const start = readParameters(opening.parameters, upstream)
  negotiate(socket, opening.minor, start.unknownOptions)
  const reader = new FrontendReader(longestToken)
  reader.push(rest)
  const presented = { certificate: clientCertificateOf(socket), request: null }
  // A client without a password hangs up when it is asked for one, so we cannot ask just to find
  // out whether it has one.
  const asked = start.hasToken || !presented.certificate || !authenticator.suffices(presented)
  const token = asked ? await askForToken(socket, reader, presented, authenticator) : ''
  return {
    client: socket,
    minor: Math.min(opening.minor, newestMinor),
    start,
    token,
    principal: await authenticate(authenticator, token, presented),
    certificate: presented.certificate,
    rest: reader.drain(),
  }
}

async function askForToken(
  socket: Socket,
  reader: FrontendReader,
  presented: Presented,
  authenticator: Asking,
): Promise<string> {
  // AuthenticationCleartextPassword. Only inside TLS, or where nobody can listen in.
  socket.write(message('R', int32(3)))
  try {
    return await password(socket, reader)
  } catch (error) {
    // It seems to have had only a certificate. It is too late to tell the client why that was not
    // enough, but the attempt belongs on record, so authenticate once more for the refusal.
    if (error instanceof Departed && presented.certificate)
      await authenticate(authenticator, '', presented)
    throw error
  }
}

function needsTls(available: boolean): Rejection {
  return new Rejection(
    '28000',
    'the password is a token, and this listener takes it over TLS only',
    available
      ? 'Connect with sslmode=require, or better verify-full.'
      : 'Whoever runs the gateway has to give this listener a certificate.',
  )
}

/**
 * Tells the client which version we speak and which options we do not know (PostgreSQL
 * documentation, "NegotiateProtocolVersion").
 */
function negotiate(socket: Socket, minor: number, unknown: readonly string[]): void {
  if (minor <= newestMinor && unknown.length === 0) return
  const version = int32((3 << 16) | Math.min(minor, newestMinor))
  socket.write(message('v', version, int32(unknown.length), ...unknown.map(cstring)))
}

async function password(socket: Socket, reader: FrontendReader): Promise<string> {
  for (;;) {
    const said = reader.next()
    if (said?.type === 'p') return readQuery(said.body)
    // psql hangs up like this to ask its user for the password first.
    if (said?.type === 'X') throw new Departed('The client left without a password.')
    if (said) throw new Rejection('08P01', 'expected a password')
    reader.push(await more(socket))
  }
}

async function authenticate(
  authenticator: Asking,
  token: string,
  presented: Presented,
): Promise<Principal> {
  try {
    return await authenticator.authenticate(token, presented)
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 'unauthenticated') throw error
    if (token === '' && presented.certificate)
      throw new Rejection('28000', `certificate authentication failed: ${error.message}`)
    throw new Rejection(
      '28P01',
      `password authentication failed: ${error.message}`,
      'The password is a token or an agent key of this gateway, not one of the database.',
    )
  }
}
