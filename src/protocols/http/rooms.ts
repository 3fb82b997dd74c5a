const MiB = 1024 * 1024

/**
 * Bytes for one subject, and for all together: enough for many requests at once, and little enough
 * for a small machine.
 */
const usual = { each: 64 * MiB, all: 256 * MiB }

/**
 * Limits the memory for bodies that are taken in because rules or people have to look at them. No
 * subject can have all of it.
 */
export class Rooms {
  readonly #each: number
  readonly #all: number
  // Owned by the rooms: how many bytes are taken.
  #taken = 0
  readonly #bySubject = new Map<string, number>()

  /** There is always room for one body of the largest size. */
  constructor(largestBody: number, { each, all } = usual) {
    this.#each = Math.max(each, largestBody)
    this.#all = Math.max(all, largestBody)
  }

  /** The room of one request. */
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
  /** Returns `false` if there is no room for so many more bytes. */
  take(bytes: number): boolean
  /** To be called when the request is over. */
  giveBack(): void
}
