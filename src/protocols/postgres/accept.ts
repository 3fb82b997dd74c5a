import type { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import type { TlsEntrance } from '../../config/tls-entrance.ts'
import { WireFault } from './wire/fault.ts'
import { isDirectTls, isFarewell, readOpening, type Opening } from './wire/startup.ts'

/** A client that has said what it wants, and not yet who it is. */
export interface Arrival {
  /** Inside of TLS, if `secure`. Paused. */
  readonly socket: Socket
  readonly secure: boolean
  readonly opening: Extract<Opening, { kind: 'start' | 'cancel' }>
  /** Bytes that came after the opening message. */
  readonly rest: Buffer
}

/** A client that has gone away, or never said anything that could be answered. */
export class Departed extends Error {
  override readonly name = 'Departed'
}

/** What a listener speaks TLS with; `null` where it has no certificate. */
export type Encryption = Pick<TlsEntrance, 'begin'> | null

/** A connection whose opening message has not arrived yet. */
interface Doorway {
  socket: Socket
  secure: boolean
  bytes: Buffer
  readonly asked: Set<'ssl' | 'gss'>
}

/**
 * Takes a new connection as far as its start-up message. TLS begins when the client asks for it
 * (PostgreSQL documentation, "SSL Session Encryption"), or at once, as clients of PostgreSQL 17 can
 * have it. Rejects with `Departed`, or with a `WireFault`: among others for bytes that came before
 * TLS and would be believed after it (CVE-2021-23214).
 */
export async function accept(raw: Socket, tls: Encryption): Promise<Arrival> {
  const door: Doorway = { socket: raw, secure: false, bytes: Buffer.alloc(0), asked: new Set() }
  for (;;) {
    if (!door.secure && isDirectTls(door.bytes)) {
      await beginDirectTls(door, tls)
      continue
    }
    if (isFarewell(door.bytes)) throw new Departed('The client left before it began.')
    const read = readOpening(door.bytes)
    if (!read) {
      door.bytes = Buffer.concat([door.bytes, await more(door.socket)])
      continue
    }
    const { opening, rest } = read
    if (opening.kind === 'start' || opening.kind === 'cancel')
      return { socket: door.socket, secure: door.secure, opening, rest }
    await answer(door, opening.kind, rest, tls)
  }
}

async function answer(
  door: Doorway,
  kind: 'ssl' | 'gss',
  rest: Buffer,
  tls: Encryption,
): Promise<void> {
  // An honest client waits for our answer before it goes on. Bytes that are here already were
  // injected by somebody who will not be able to speak once TLS has begun.
  if (rest.length > 0)
    throw new WireFault('received unencrypted data after a request for encryption')
  if (door.secure || door.asked.has(kind)) throw new WireFault('unexpected request for encryption')
  door.asked.add(kind)
  door.bytes = rest
  if (kind === 'gss' || !tls) {
    door.socket.write('N')
    return
  }
  door.socket.write('S')
  door.socket = await beginTls(door.socket, tls)
  door.secure = true
}

async function beginDirectTls(door: Doorway, tls: Encryption): Promise<void> {
  if (!tls || door.asked.size > 0) throw new WireFault('unexpected TLS handshake')
  door.socket.unshift(door.bytes)
  door.bytes = Buffer.alloc(0)
  const socket = await beginTls(door.socket, tls)
  door.socket = socket
  door.secure = true
  // Without ALPN, a client that meant to speak another protocol could be led in here (ALPACA;
  // PostgreSQL documentation, "SSL Session Encryption").
  if (socket.alpnProtocol !== 'postgresql')
    throw new WireFault('direct TLS needs the ALPN protocol "postgresql"')
}

function beginTls(raw: Socket, tls: NonNullable<Encryption>): Promise<TLSSocket> {
  return tls.begin(raw).catch((error: unknown) => {
    throw new Departed('The TLS handshake failed.', { cause: error })
  })
}

/** The next bytes of a client. */
export function more(socket: Socket): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const settle = (): void => {
      socket.pause()
      socket.off('data', onData)
      socket.off('error', onGone)
      socket.off('close', onGone)
      socket.off('end', onGone)
    }
    const onData = (bytes: Buffer): void => {
      settle()
      resolve(bytes)
    }
    const onGone = (error?: Error): void => {
      settle()
      reject(new Departed('The client went away.', { cause: error }))
    }
    if (socket.destroyed) return onGone()
    socket.on('data', onData)
    socket.on('error', onGone)
    socket.on('close', onGone)
    socket.on('end', onGone)
    socket.resume()
  })
}
