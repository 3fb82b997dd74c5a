import { setTimeout as sleep } from 'node:timers/promises'
import type { GateContext } from './context.ts'

const firstPause = 100
const longestPause = 5_000

/**
 * Writes down a fact that has already happened, again and again until the store takes it. Gives up when this replica has lost the epoch that
 * the fact belongs to: another one then records the outcome as `unknown`.
 */
export async function persist(
  ctx: GateContext,
  epoch: number,
  write: () => Promise<unknown>,
): Promise<void> {
  for (let pause = firstPause; ; pause = Math.min(pause * 2, longestPause)) {
    try {
      await write()
      return
    } catch (error) {
      if (!ctx.lease.held(epoch)) {
        ctx.log.error(
          { err: error },
          'an outcome could not be recorded; it will be recorded as unknown',
        )
        return
      }
      ctx.log.warn({ err: error }, 'an outcome is not recorded yet; trying again')
      await sleep(pause, undefined, { ref: false })
    }
  }
}
