import { hash } from 'node:crypto'

/** The place of an event: position `n`, from 1, in the chain of one epoch of one replica. */
export interface Place {
  readonly replica: string
  readonly epoch: number
  readonly n: number
}

/** What the first link of a chain has in place of a predecessor's hash. */
export const genesis = '0'.repeat(64)

/**
 * The hash of a leaf, in hex. A leaf is hashed with a zero byte before it, so that it can never
 * pass for an inner node (RFC 6962 §2.1).
 */
export function leafHash(body: string): string {
  return hash('sha256', `\0${body}`)
}

// One buffer for all calls, which are synchronous and so never overlap. A new one for each would
// cost as much as the hashing.
const scratch = Buffer.alloc(16 * 1024)

/**
 * The commitment in a hashed event to its personal part. Without the salt, which is erased along
 * with that part, nobody can guess the part from it.
 */
export function commitment(salt: Buffer, personal: string): string {
  // UTF-8 takes at most three bytes for one UTF-16 code unit.
  if (salt.length + personal.length * 3 > scratch.length) {
    return hash('sha256', Buffer.concat([salt, Buffer.from(personal)]))
  }
  scratch.set(salt)
  const length = salt.length + scratch.write(personal, salt.length)
  return hash('sha256', scratch.subarray(0, length))
}

const tag = Buffer.from('sallyport link 1')
// Also one for all. Most links belong to the same chain as the last one.
const frame = Buffer.alloc(tag.length + 16 + 8 + 8 + 32 + 32)
tag.copy(frame)
let framed = ''

/**
 * SHA-256 over 112 bytes: the tag `sallyport link 1`, the replica's UUID (16 bytes), the epoch and
 * `n` (8 bytes each, big-endian), the hash of the link before (32) and the leaf hash (32). In hex,
 * as everything here.
 */
export function linkHash({ replica, epoch, n }: Place, prev: string, leaf: string): string {
  if (replica !== framed) {
    frame.write(replica.replaceAll('-', ''), 16, 'hex')
    framed = replica
  }
  writeUint64(epoch, 32)
  writeUint64(n, 40)
  frame.write(prev, 48, 'hex')
  frame.write(leaf, 80, 'hex')
  return hash('sha256', frame)
}

function writeUint64(value: number, at: number): void {
  frame.writeUInt32BE(Math.floor(value / 2 ** 32), at)
  frame.writeUInt32BE(value >>> 0, at + 4)
}
