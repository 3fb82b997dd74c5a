import { randomInt } from 'node:crypto'

/** Both in milliseconds. */
export interface Pauses {
  readonly firstPause: number
  readonly longestPause: number
}

/** Milliseconds to wait after a number of failures; longer each time. */
export function pauseAfter(failures: number, { firstPause, longestPause }: Pauses): number {
  const longest = Math.min(firstPause * 2 ** Math.min(failures, 30), longestPause)
  // Jitter, so that what failed together does not come back together.
  return randomInt(Math.ceil(longest / 2), longest + 1)
}

/**
 * Settles like `work`, or rejects with `late` as soon as the signal aborts, even if the work
 * ignores the signal, as a hanging file system does.
 */
export function unlessAborted<T>(
  work: Promise<T>,
  signal: AbortSignal,
  late: () => Error,
): Promise<T> {
  const end = new Promise<never>((_, reject) => {
    if (signal.aborted) reject(late())
    else signal.addEventListener('abort', () => reject(late()), { once: true })
  })
  return Promise.race([work, end])
}

/**
 * Runs work that may hang, one attempt at a time. Callers may give up waiting, but no new attempt
 * begins until the last one has ended: each that hangs in the file system occupies one of the few
 * threads that this process has for such work.
 */
export class Attempts {
  // Owned by make().
  #unended = false

  /**
   * Settles like `work`, or rejects with `late` as soon as the signal aborts, and at once while the
   * last attempt has not ended.
   */
  make<T>(work: () => Promise<T>, signal: AbortSignal, late: () => Error): Promise<T> {
    if (this.#unended) return Promise.reject(late())
    this.#unended = true
    const attempt = work().finally(() => (this.#unended = false))
    return unlessAborted(attempt, signal, late)
  }
}

/** The pause between two rounds of a loop, which news can cut short. */
export class Nap {
  // Owned by take().
  #wake: () => void = () => undefined

  /** Resolves after `ms` milliseconds, or when woken. */
  take(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  wake(): void {
    this.#wake()
  }
}
