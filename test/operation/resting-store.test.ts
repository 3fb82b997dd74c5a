import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { restingStore } from '../../src/app/background/resting-store.ts'
import { openTestStore } from '../support/store.ts'

// The embedded store has no thread for what is done behind the audit log: there it is done between other things.

test('what can wait begins when the thread has time for it', async () => {
  const store = restingStore(await openTestStore())
  const over = new AbortController()
  const others = (async () => {
    while (!over.signal.aborted) {
      for (const until = performance.now() + 20; performance.now() < until;);
      await turn()
    }
  })()
  let begun = false
  const waiting = store.tx(async (tx) => {
    begun = true
    return tx.query('SELECT 1 AS one')
  })
  await sleep(1_500)
  expect(begun).toBe(false)
  over.abort()
  await others
  expect(await waiting).toEqual([{ one: 1 }])
})
