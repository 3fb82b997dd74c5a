/**
 * Asks the store a question without waiting long: resolves to `null` when there is no answer within
 * `patienceMs` milliseconds. Callers share an answer that is under way, because health checks that
 * pile up at a slow store would take its sessions from actions.
 */
export function probe<Answer>(
  ask: () => Promise<Answer>,
  patienceMs: number,
): () => Promise<Answer | null> {
  let asked: Promise<Answer | null> | null = null
  return async () => {
    // Closed: an error counts as no answer. Those who do real work log what it was.
    asked ??= ask()
      .catch(() => null)
      .finally(() => (asked = null))
    const { promise: late, resolve } = Promise.withResolvers<null>()
    const timer = setTimeout(() => resolve(null), patienceMs)
    try {
      return await Promise.race([asked, late])
    } finally {
      clearTimeout(timer)
    }
  }
}
