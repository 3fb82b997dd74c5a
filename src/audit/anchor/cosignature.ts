import { createPublicKey, hash, verify, type KeyObject } from 'node:crypto'

/**
 * A witness, as its verifier key names it:
 * `<name>+<id>+<base64 of 0x04 and the Ed25519 public key>`.
 */
export interface WitnessKey {
  readonly name: string
  readonly id: Buffer
  readonly key: KeyObject
}

const cosigning = Buffer.from([4])
/**
 * The prefix of an Ed25519 public key in its SubjectPublicKeyInfo (RFC 8410 §4); 32 bytes follow.
 */
const spki = Buffer.from('302a300506032b6570032100', 'hex')

/** Reads a verifier key; `null` unless it is one for C2SP tlog-cosignature with Ed25519. */
export function readWitnessKey(text: string): WitnessKey | null {
  const [, name, id, encoded] = /^([^\s+]+)\+([0-9a-f]{8})\+(\S+)$/.exec(text.trim()) ?? []
  if (name === undefined || id === undefined || encoded === undefined) return null
  const bytes = Buffer.from(encoded, 'base64')
  if (bytes.length !== 33 || bytes[0] !== cosigning[0]) return null
  const raw = bytes.subarray(1)
  const expected = cosignerId(name, raw)
  if (expected.toString('hex') !== id) return null
  const key = createPublicKey({ key: Buffer.concat([spki, raw]), format: 'der', type: 'spki' })
  return { name, id: expected, key }
}

/**
 * The key id: the first four bytes of SHA-256 over the name, a line feed, 0x04 and the 32 bytes of
 * the public key.
 */
export function cosignerId(name: string, raw: Buffer): Buffer {
  return hash(
    'sha256',
    Buffer.concat([Buffer.from(`${name}\n`), cosigning, raw]),
    'buffer',
  ).subarray(0, 4)
}

/** What a witness signs: the time, in seconds since 1970, and the note without its signatures. */
export function cosignedMessage(note: string, time: bigint): Buffer {
  return Buffer.from(`cosignature/v1\ntime ${time}\n${note.slice(0, note.indexOf('\n\n') + 1)}`)
}

/** The line by which the witness cosigned the note; `null` if none of them is. */
export function cosignatureIn(
  lines: readonly string[],
  note: string,
  { name, id, key }: WitnessKey,
): string | null {
  const found = lines.find((line) => {
    const [, signer, encoded] = /^— (\S+) (\S+)$/.exec(line) ?? []
    if (signer !== name || encoded === undefined) return false
    const bytes = Buffer.from(encoded, 'base64')
    // Key id, time and signature: 4, 8 and 64 bytes.
    if (bytes.length !== 76 || !bytes.subarray(0, 4).equals(id)) return false
    const message = cosignedMessage(note, bytes.readBigUInt64BE(4))
    return verify(null, message, key, bytes.subarray(12))
  })
  return found ?? null
}
