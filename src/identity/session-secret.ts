import { createCipheriv, createDecipheriv, hash, hkdfSync, randomBytes } from 'node:crypto'

const ivBytes = 12
const tagBytes = 16

/**
 * What is stored of a cookie. A hash without salt or stretching is enough, because 256 random bits
 * cannot be guessed.
 */
export function sessionHash(value: string): Buffer {
  return hash('sha256', value, 'buffer')
}

/**
 * Encrypts with a key derived from the cookie (AES-256-GCM; HKDF, RFC 5869), so that somebody who
 * reads the table cannot read this.
 */
export function seal(value: string, text: string): Buffer {
  const iv = randomBytes(ivBytes)
  const cipher = createCipheriv('aes-256-gcm', keyOf(value), iv)
  const sealed = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()])
  return Buffer.concat([iv, cipher.getAuthTag(), sealed])
}

/** Decrypts what `seal` returned. Throws when it was sealed with another cookie, or was changed. */
export function open(value: string, bytes: Buffer): string {
  const iv = bytes.subarray(0, ivBytes)
  const tag = bytes.subarray(ivBytes, ivBytes + tagBytes)
  const decipher = createDecipheriv('aes-256-gcm', keyOf(value), iv, { authTagLength: tagBytes })
  decipher.setAuthTag(tag)
  const sealed = bytes.subarray(ivBytes + tagBytes)
  return Buffer.concat([decipher.update(sealed), decipher.final()]).toString('utf8')
}

function keyOf(value: string): Buffer {
  return Buffer.from(hkdfSync('sha256', value, '', 'sallyport session id_token', 32))
}
