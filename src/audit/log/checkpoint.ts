import { createPublicKey, hash, sign, verify, type KeyObject } from 'node:crypto'

/**
 * What a checkpoint says: how many leaves the log has, their root, and when. Written as a C2SP
 * tlog-checkpoint, which is a signed note (C2SP signed-note) with Ed25519 signatures (RFC 8032).
 * The time is its extension line.
 */
export interface Checkpoint {
  readonly origin: string
  readonly size: number
  readonly root: Buffer
  /** `null` where it does not say. */
  readonly time: Date | null
}

const ed25519 = Buffer.from([1])
/**
 * The prefix of an Ed25519 public key in its SubjectPublicKeyInfo (RFC 8410 §4); 32 bytes follow.
 */
const spki = Buffer.from('302a300506032b6570032100', 'hex')

/** The note, signed with each key. */
export function signCheckpoint(
  { origin, size, root, time }: Checkpoint,
  keys: readonly KeyObject[],
): string {
  const lines = [origin, String(size), root.toString('base64')]
  if (time) lines.push(`time ${time.toISOString()}`)
  const text = `${lines.join('\n')}\n`
  const signatures = keys.map((key) => {
    const id = keyId(origin, rawKey(createPublicKey(key)))
    const signature = sign(null, Buffer.from(text), key)
    return `— ${origin} ${Buffer.concat([id, signature]).toString('base64')}\n`
  })
  return `${text}\n${signatures.join('')}`
}

/** The verifier key: `<name>+<id>+<base64 of the algorithm and the key>`. */
export function verifierKey(origin: string, key: KeyObject): string {
  const raw = rawKey(key)
  const id = keyId(origin, raw).toString('hex')
  return `${origin}+${id}+${Buffer.concat([ed25519, raw]).toString('base64')}`
}

/**
 * Reads a checkpoint; `null` if it is malformed, or if none of these verifier keys has signed it.
 */
export function openCheckpoint(note: string, keys: readonly string[]): Checkpoint | null {
  const end = note.indexOf('\n\n')
  if (end === -1) return null
  const text = note.slice(0, end + 1)
  const signatures = note.slice(end + 2).split('\n')
  const trusted = keys.flatMap((key) => readKey(key) ?? [])
  const signed = trusted.some(({ name, id, key }) =>
    signatures.some((line) => {
      const [, signer, encoded] = /^— (\S+) (\S+)$/.exec(line) ?? []
      if (signer !== name || encoded === undefined) return false
      const bytes = Buffer.from(encoded, 'base64')
      return (
        bytes.length === 68 &&
        bytes.subarray(0, 4).equals(id) &&
        verify(null, Buffer.from(text), key, bytes.subarray(4))
      )
    }),
  )
  return signed ? readText(text) : null
}

function readText(text: string): Checkpoint | null {
  const [origin, size, root, ...rest] = text.slice(0, -1).split('\n')
  if (!origin || !size || !/^(0|[1-9]\d*)$/.test(size) || !root) return null
  const hashed = Buffer.from(root, 'base64')
  if (hashed.length !== 32 || hashed.toString('base64') !== root) return null
  const time = rest.find((line) => line.startsWith('time '))?.slice(5)
  const at = time === undefined ? null : new Date(time)
  return { origin, size: Number(size), root: hashed, time: at }
}

function readKey(text: string): { name: string; id: Buffer; key: KeyObject } | null {
  const [, name, id, encoded] = /^(\S+)\+([0-9a-f]{8})\+(\S+)$/.exec(text.trim()) ?? []
  if (name === undefined || id === undefined || encoded === undefined) return null
  const bytes = Buffer.from(encoded, 'base64')
  if (bytes.length !== 33 || bytes[0] !== 1) return null
  const raw = bytes.subarray(1)
  // Closed: somebody has put together a key whose id is not its own.
  if (keyId(name, raw).toString('hex') !== id) return null
  const key = createPublicKey({ key: Buffer.concat([spki, raw]), format: 'der', type: 'spki' })
  return { name, id: Buffer.from(id, 'hex'), key }
}

function keyId(name: string, raw: Buffer): Buffer {
  return hash('sha256', Buffer.concat([Buffer.from(`${name}\n`), ed25519, raw]), 'buffer').subarray(
    0,
    4,
  )
}

function rawKey(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'spki' }).subarray(spki.length)
}
