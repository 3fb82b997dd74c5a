import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto'
import { keyId, type Keyring } from '../config/keyring.ts'

const nonceBytes = 12
const tagBytes = 16

/** Bytes that the database keeps and cannot read. */
export interface Sealed {
  /** Identifies the key without revealing it. */
  readonly keyId: string
  /** Nonce, tag and ciphertext. */
  readonly sealed: Buffer
}

/**
 * Seals data at rest with AES-256-GCM (NIST SP 800-38D), each time with a random nonce of 96 bits.
 */
export class Sealer {
  readonly #keys: Keyring

  constructor(keys: Keyring) {
    this.#keys = keys
  }

  /** The id of the key that seals now. */
  get keyId(): string {
    return keyId(this.#keys.current())
  }

  /** The ids of all keys that can open something. */
  get keyIds(): string[] {
    return this.#keys.all.map(({ key }) => keyId(key))
  }

  /**
   * `context`: what the bytes belong to. Sealed for one context, they cannot be opened in another.
   */
  seal(bytes: Buffer, context: string): Sealed {
    const nonce = randomBytes(nonceBytes)
    const key = this.#keys.current()
    const cipher = createCipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes })
    cipher.setAAD(Buffer.from(context))
    const body = [cipher.update(bytes), cipher.final()]
    return { keyId: keyId(key), sealed: Buffer.concat([nonce, cipher.getAuthTag(), ...body]) }
  }

  /** Throws when the bytes were changed, or sealed by another key or for another context. */
  open(sealed: Buffer, context: string): Buffer {
    for (const { key } of this.#keys.all.slice(0, -1)) {
      try {
        return openWith(key, sealed, context)
      } catch {
        // It was not this key. The last one reports what is wrong.
      }
    }
    return openWith(this.#keys.all.at(-1)!.key, sealed, context)
  }
}

function openWith(key: Buffer, sealed: Buffer, context: string): Buffer {
  const tagged = nonceBytes + tagBytes
  const nonce = sealed.subarray(0, nonceBytes)
  const decipher = createDecipheriv('aes-256-gcm', key, nonce, { authTagLength: tagBytes })
  decipher.setAAD(Buffer.from(context))
  decipher.setAuthTag(sealed.subarray(nonceBytes, tagged))
  return Buffer.concat([decipher.update(sealed.subarray(tagged)), decipher.final()])
}
