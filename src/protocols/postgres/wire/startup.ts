import { BodyReader } from './body-reader.ts'
import { WireFault } from './fault.ts'
import { terminate } from './messages.ts'

/**
 * The first message of a connection, the only one without a type (PostgreSQL documentation,
 * "Message Formats").
 */
export type Opening =
  | { readonly kind: 'ssl' | 'gss' }
  | { readonly kind: 'cancel'; readonly process: number; readonly secret: Buffer }
  | {
      readonly kind: 'start'
      /** The protocol's minor version; the major one is 3. */
      readonly minor: number
      readonly parameters: ReadonlyMap<string, string>
    }

/** Bytes of the longest start-up message, the same as the server's (MAX_STARTUP_PACKET_LENGTH). */
const longest = 10_000

/**
 * The first byte of a TLS handshake record (RFC 8446, §5.1). As the first byte of a length, it
 * would announce 352 MiB, which no start-up message has.
 */
const tlsHandshake = 0x16

/** Whether a connection begins with TLS itself, without asking for it first. */
export function isDirectTls(bytes: Buffer): boolean {
  return bytes[0] === tlsHandshake
}

/**
 * Whether a client says goodbye before it has begun, with a message that has the form of later ones
 * (Terminate).
 */
export function isFarewell(bytes: Buffer): boolean {
  return bytes.equals(terminate)
}

/**
 * Reads the opening from all bytes that have come; `null` until it is complete. `rest` is what came
 * after it. Throws a `WireFault`.
 */
export function readOpening(bytes: Buffer): { opening: Opening; rest: Buffer } | null {
  if (bytes.length < 4) return null
  const length = bytes.readUInt32BE(0)
  if (length < 8 || length > longest) throw new WireFault('invalid length of startup packet')
  if (bytes.length < length) return null
  return { opening: opening(bytes.subarray(4, length)), rest: bytes.subarray(length) }
}

function opening(body: Buffer): Opening {
  const code = body.readUInt32BE(0)
  switch (code) {
    case 80_877_103:
      return bare('ssl', body)
    case 80_877_104:
      return bare('gss', body)
    case 80_877_102:
      return cancel(body)
    default:
  }
  if (code >>> 16 !== 3) {
    const asked = `${code >>> 16}.${code & 0xffff}`
    throw new WireFault(
      `unsupported frontend protocol ${asked}: server supports 3.0 to 3.2`,
      '0A000',
    )
  }
  return { kind: 'start', minor: code & 0xffff, parameters: parametersOf(body) }
}

function bare(kind: 'ssl' | 'gss', body: Buffer): Opening {
  if (body.length !== 4) throw new WireFault('invalid length of startup packet')
  return { kind }
}

function cancel(body: Buffer): Opening {
  // The secret has 4 bytes, or up to 256 in protocol 3.2.
  if (body.length < 12 || body.length > 8 + 256) throw new WireFault('invalid cancel request')
  return { kind: 'cancel', process: body.readInt32BE(4), secret: Buffer.from(body.subarray(8)) }
}

function parametersOf(body: Buffer): ReadonlyMap<string, string> {
  const reader = new BodyReader(body)
  reader.int32()
  const parameters = new Map<string, string>()
  for (let name = reader.text(); name !== ''; name = reader.text()) {
    if (parameters.has(name)) throw new WireFault(`the parameter ${name} is there twice`)
    parameters.set(name, reader.text())
  }
  reader.end()
  return parameters
}
