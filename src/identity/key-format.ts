import { hash, randomBytes } from 'node:crypto'
import { crc32 } from 'node:zlib'

/** What agent keys start with, so that people and secret scanners recognise them. */
export const keyPrefix = 'sp_'

const secretBytes = 32

/** `sp_` and 48 characters of base64url: 256 random bits and their CRC-32. */
export function newKey(): string {
  const secret = randomBytes(secretBytes)
  return keyPrefix + Buffer.concat([secret, checksum(secret)]).toString('base64url')
}

/**
 * Whether a text can be a key. Typing errors and inventions end here, and never reach the database.
 */
export function isKey(text: string): boolean {
  if (!/^sp_[\w-]{48}$/.test(text)) return false
  const bytes = Buffer.from(text.slice(keyPrefix.length), 'base64url')
  return checksum(bytes.subarray(0, secretBytes)).equals(bytes.subarray(secretBytes))
}

/**
 * What is stored of a key. A plain hash is enough, because 256 random bits cannot be guessed at any
 * speed.
 */
export function keyHash(key: string): Buffer {
  return hash('sha256', key, 'buffer')
}

function checksum(secret: Buffer): Buffer {
  const sum = Buffer.alloc(4)
  sum.writeUInt32BE(crc32(secret))
  return sum
}
