import { getPriority, setPriority } from 'node:os'

/**
 * Steps of niceness: a quarter of a core that the main thread wants too, and all that it leaves.
 */
const nicer = 5

/**
 * Makes this thread give way to the main one. Linux schedules each thread by itself, and takes 0
 * for the one that asks. Elsewhere it would be the whole process, so nothing is done.
 */
export function giveWay(onRefusal: (error: unknown) => void): void {
  if (process.platform !== 'linux') return
  try {
    setPriority(0, Math.min(getPriority(0) + nicer, 19))
  } catch (error) {
    // Some sandboxes forbid it. Then both threads have the same share.
    onRefusal(error)
  }
}
