import { getPriority, setPriority } from 'node:os'

/**
 * Steps of niceness: gets a quarter of a core that the main thread wants too, and everything that
 * it leaves.
 */
const nicer = 5

/**
 * Makes this thread give way to the main one. Linux schedules threads individually, and takes 0 for
 * the calling one. Elsewhere this would affect the whole process, so nothing is done.
 */
export function giveWay(onRefusal: (error: unknown) => void): void {
  if (process.platform !== 'linux') return
  try {
    setPriority(0, Math.min(getPriority(0) + nicer, 19))
  } catch (error) {
    // Some sandboxes forbid it. Then both threads get the same share.
    onRefusal(error)
  }
}
