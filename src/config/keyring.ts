import { createHash } from 'node:crypto'

/**
 * Milliseconds that a new key is only read with: by then every replica has it, and nobody meets
 * what it cannot read.
 */
export const settles = 3_600_000

/** One of several keys for the same purpose. 32 bytes. */
export interface RotatingKey {
  readonly key: Buffer
  readonly madeAt: Date
}

/**
 * Keys for one purpose, the newest first. What any of them has signed or sealed can be read; what
 * is new is written with the newest that has settled.
 */
export class Keyring {
  readonly #keys: readonly RotatingKey[]
  // Owned by use(). Another list whenever it changes.
  #inUse: readonly RotatingKey[]

  constructor(keys: readonly RotatingKey[]) {
    this.#keys = keys.toSorted((a, b) => b.madeAt.getTime() - a.madeAt.getTime())
    this.#inUse = this.#keys
  }

  /** Those in use. */
  get all(): readonly RotatingKey[] {
    return this.#inUse
  }

  /**
   * From now on these alone are in use, by their names, and none of them settles before it is that
   * long in use.
   */
  use(since: ReadonlyMap<string, Date>): void {
    this.#inUse = this.#keys.flatMap(({ key, madeAt }) => {
      const from = since.get(keyId(key))
      return from ? [{ key, madeAt: from > madeAt && madeAt.getTime() > 0 ? from : madeAt }] : []
    })
  }

  /**
   * To write with now. With nothing but new keys, the oldest: there is nothing before it that
   * others could have.
   */
  current(now = Date.now()): Buffer {
    const settled = this.all.find(({ madeAt }) => madeAt.getTime() + settles <= now)
    return (settled ?? this.all.at(-1)!).key
  }
}

/** Names a key without revealing it. */
export function keyId(key: Buffer): string {
  return createHash('sha256').update('sallyport key id').update(key).digest('hex').slice(0, 16)
}
