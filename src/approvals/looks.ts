import { setImmediate as nextTurn } from 'node:timers/promises'

/** The most keys in one query. */
const mostAtOnce = 500

interface Asked<Want, Found> {
  readonly want: Want
  readonly answer: PromiseWithResolvers<Found>
}

/**
 * Answers many questions with one query. An answer is never older than its question: what is asked
 * while a query is under way waits for the next one, together with everything else that comes
 * meanwhile. Equal questions share an answer.
 */
export class Looks<Want, Found> {
  readonly #find: (wants: readonly Want[]) => Promise<readonly Found[]>
  // Owned by look() and #run().
  readonly #asked = new Map<string, Asked<Want, Found>>()
  #running = false

  /** `find` has to answer in the order of its questions. */
  constructor(find: (wants: readonly Want[]) => Promise<readonly Found[]>) {
    this.#find = find
  }

  /**
   * `key` identifies what is wanted, so that the same thing is asked for once. Rejects with the
   * error of the query.
   */
  look(key: string, want: Want): Promise<Found> {
    let asked = this.#asked.get(key)
    if (!asked) {
      asked = { want, answer: Promise.withResolvers() }
      this.#asked.set(key, asked)
    }
    if (!this.#running) void this.#run()
    return asked.answer.promise
  }

  async #run(): Promise<void> {
    this.#running = true
    // Gathers all questions of this turn of the event loop.
    await nextTurn()
    while (this.#asked.size > 0) {
      const batch = this.#take()
      try {
        const found = await this.#find(batch.map(({ want }) => want))
        batch.forEach(({ answer }, index) => answer.resolve(found[index]!))
      } catch (error) {
        for (const { answer } of batch) answer.reject(error)
      }
    }
    this.#running = false
  }

  #take(): Asked<Want, Found>[] {
    const keys = this.#asked.keys().take(mostAtOnce).toArray()
    return keys.map((key) => {
      const asked = this.#asked.get(key)!
      this.#asked.delete(key)
      return asked
    })
  }
}
