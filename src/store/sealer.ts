import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'

const nonceBytes = 12
const tagBytes = 16

/** What the database keeps, and cannot read. */
export interface Sealed {
  /** Names the key without revealing it. */
  readonly keyId: string
  /** Nonce, tag and ciphertext. */
  readonly sealed: Buffer
}

/** Seals what is kept at rest: AES-256-GCM (NIST SP 800-38D), with a random nonce of 96 bits for each. */
export class Sealer {
  readonly keyId: string
  readonly #key: Buffer

  /** A key of 32 bytes. */
  constructor(key: Buffer) {
    this.#key = key
    this.keyId = createHash('sha256')
      .update('sallyport key id')
      .update(key)
      .digest('hex')
      .slice(0, 16)
  }

  /** `context` is what the bytes belong to: sealed for one place, they cannot be opened in another. */
  seal(bytes: Buffer, context: string): Sealed {
    const nonce = randomBytes(nonceBytes)
    const cipher = createCipheriv('aes-256-gcm', this.#key, nonce, { authTagLength: tagBytes })
    cipher.setAAD(Buffer.from(context))
    const body = [cipher.update(bytes), cipher.final()]
    return { keyId: this.keyId, sealed: Buffer.concat([nonce, cipher.getAuthTag(), ...body]) }
  }

  /** Throws when the bytes were changed, or sealed by another key or for another context. */
  open(sealed: Buffer, context: string): Buffer {
    const tagged = nonceBytes + tagBytes
    const nonce = sealed.subarray(0, nonceBytes)
    const decipher = createDecipheriv('aes-256-gcm', this.#key, nonce, { authTagLength: tagBytes })
    decipher.setAAD(Buffer.from(context))
    decipher.setAuthTag(sealed.subarray(nonceBytes, tagged))
    return Buffer.concat([decipher.update(sealed.subarray(tagged)), decipher.final()])
  }
}
