import { randomInt } from 'node:crypto'

/** Both in milliseconds. */
export interface Pauses {
  readonly firstPause: number
  readonly longestPause: number
}

/** Milliseconds until another try, after so many that failed: longer each time. */
export function pauseAfter(failures: number, { firstPause, longestPause }: Pauses): number {
  const longest = Math.min(firstPause * 2 ** Math.min(failures, 30), longestPause)
  // Jitter: what failed together does not come back together.
  return randomInt(Math.ceil(longest / 2), longest + 1)
}

/**
 * The same as `work`, or a rejection with `late` as soon as the signal says so: work that overlooks
 * it, such as a file system that hangs, is not waited for either.
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
 * Work that may hang, one attempt at a time: whoever waited for it gives up, and until it has come
 * to its end there is no other. What hangs in the file system keeps one of the few threads that do
 * all such work of this process.
 */
export class Attempts {
  // Owned by make().
  #unended = false

  /**
   * The same as `work`, or a rejection with `late` as soon as the signal says so, and at once while
   * the last one has not come to its end.
   */
  make<T>(work: () => Promise<T>, signal: AbortSignal, late: () => Error): Promise<T> {
    if (this.#unended) return Promise.reject(late())
    this.#unended = true
    const attempt = work().finally(() => (this.#unended = false))
    return unlessAborted(attempt, signal, late)
  }
}

/** Between two looks of a loop, until it is time, or there is news. */
export class Nap {
  // Owned by take().
  #wake: () => void = () => undefined

  /** Resolves after so many milliseconds, or when it is woken. */
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
