const MiB = 1024 * 1024

/**
 * In bytes: of one subject, and of all together. Enough for many requests at once, and little
 * enough for a small machine.
 */
const usual = { each: 64 * MiB, all: 256 * MiB }

/**
 * How much of the memory bodies may fill that are taken in, since a rule looks at them, or people
 * have to: no subject can have it all.
 */
export class Rooms {
  readonly #each: number
  readonly #all: number
  // Owned by the rooms: bytes that are taken.
  #taken = 0
  readonly #bySubject = new Map<string, number>()

  /** There is room for one body of the largest size in any case. */
  constructor(largestBody: number, { each, all } = usual) {
    this.#each = Math.max(each, largestBody)
    this.#all = Math.max(all, largestBody)
  }

  /** For one request. */
  of(subject: string): Room {
    let mine = 0
    const change = (bytes: number): void => {
      mine += bytes
      this.#taken += bytes
      const left = (this.#bySubject.get(subject) ?? 0) + bytes
      if (left > 0) this.#bySubject.set(subject, left)
      else this.#bySubject.delete(subject)
    }
    return {
      take: (bytes) => {
        const taken = this.#bySubject.get(subject) ?? 0
        if (taken + bytes > this.#each || this.#taken + bytes > this.#all) return false
        change(bytes)
        return true
      },
      giveBack: () => change(-mine),
    }
  }
}

export interface Room {
  /** False if there is none left for so many bytes. */
  take(bytes: number): boolean
  /** When the request is over. */
  giveBack(): void
}
