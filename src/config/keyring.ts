import { createHash } from 'node:crypto'

/**
 * How long a new key is used for reading only, in milliseconds. After that every replica has it,
 * and none receives what it cannot read.
 */
export const settles = 3_600_000

/** One of several keys for the same purpose. 32 bytes. */
export interface RotatingKey {
  readonly key: Buffer
  readonly madeAt: Date
}

/**
 * Keys for one purpose, the newest first. What any of them has signed or sealed can be read.
 * Writing uses the newest key that has settled, which means that all replicas have it.
 */
export class Keyring {
  readonly #keys: readonly RotatingKey[]
  // Owned by use(), which replaces the list and never changes it.
  #inUse: readonly RotatingKey[]

  constructor(keys: readonly RotatingKey[]) {
    this.#keys = keys.toSorted((a, b) => b.madeAt.getTime() - a.madeAt.getTime())
    this.#inUse = this.#keys
  }

  /** The keys in use. */
  get all(): readonly RotatingKey[] {
    return this.#inUse
  }

  /**
   * From now on only these keys are in use. `since`: by key id, the time from which a key counts as
   * new; it settles no earlier than `settles` milliseconds after that. The file's first key has no
   * date, and has always settled.
   */
  use(since: ReadonlyMap<string, Date>): void {
    this.#inUse = this.#keys.flatMap(({ key, madeAt }) => {
      const from = since.get(keyId(key))
      return from ? [{ key, madeAt: from > madeAt && madeAt.getTime() > 0 ? from : madeAt }] : []
    })
  }

  /**
   * The key to write with. Where all keys are new it is the oldest, since other replicas cannot
   * have an earlier one.
   */
  current(now = Date.now()): Buffer {
    const settled = this.all.find(({ madeAt }) => madeAt.getTime() + settles <= now)
    return (settled ?? this.all.at(-1)!).key
  }
}

/** A name for a key, which does not reveal it. */
export function keyId(key: Buffer): string {
  return createHash('sha256').update('sallyport key id').update(key).digest('hex').slice(0, 16)
}
