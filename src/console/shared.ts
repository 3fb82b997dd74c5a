/**
 * Work that many may ask for at once, and that one piece of is enough: it runs once at a time, and
 * whoever asks meanwhile shares the next run, which begins after they asked. So nobody hears of a
 * time before their question.
 */
export class Shared<T> {
  readonly #work: () => Promise<T>
  #running: Promise<T> | null = null
  #next: Promise<T> | null = null

  constructor(work: () => Promise<T>) {
    this.#work = work
  }

  /** Rejects as the work does. */
  ask(): Promise<T> {
    if (!this.#running) return this.#begin()
    this.#next ??= this.#running.then(this.#follow, this.#follow)
    return this.#next
  }

  readonly #follow = (): Promise<T> => {
    this.#next = null
    // Somebody may have come between the end of the one before and this.
    return this.#running ?? this.#begin()
  }

  #begin(): Promise<T> {
    const running = this.#work()
    this.#running = running
    const over = () => {
      if (this.#running === running) this.#running = null
    }
    running.then(over, over)
    return running
  }
}
