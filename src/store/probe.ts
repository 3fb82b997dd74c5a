/**
 * A question to the store that never waits long for its answer: `null` when there is none within
 * `patienceMs` milliseconds. Whoever asks while another still waits shares its answer. Health
 * checks that pile up in front of a slow store would take its sessions from actions.
 */
export function probe<Answer>(
  ask: () => Promise<Answer>,
  patienceMs: number,
): () => Promise<Answer | null> {
  let asked: Promise<Answer | null> | null = null
  return async () => {
    // Closed: an error is no answer. Which one it was is logged by those who do work, each second.
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
