import { setTimeout as sleep } from 'node:timers/promises'
import type { Store } from '../../store/db.ts'

/** The share of its time above which this thread counts as busy. */
const busy = 0.5
/**
 * In milliseconds: over what time that is measured, and after what time work begins all the same.
 */
const look = 250
const longest = 10_000

/**
 * Wraps a store for work that can wait: a transaction begins when this thread is not busy, or has
 * been busy for too long.
 */
export function restingStore(store: Store): Store {
  return {
    kind: store.kind,
    query: (sql, params) => store.query(sql, params),
    exchange: (statements) => store.exchange(statements),
    async tx(work) {
      await calm()
      return store.tx(work)
    },
    listen: (channel, onNotify) => store.listen(channel, onNotify),
    notify: (channel, payload) => store.notify(channel, payload),
    end: () => store.end(),
  }
}

async function calm(): Promise<void> {
  for (let waited = 0; waited < longest; waited += look) {
    const before = performance.eventLoopUtilization()
    await sleep(look)
    if (performance.eventLoopUtilization(before).utilization < busy) return
  }
}
