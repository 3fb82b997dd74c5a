import { describe, expect, it } from 'vitest'
import { findRecordedRun } from '../../src/audit/runs.ts'
import type { Outcome } from '../../src/core/event.ts'
import { anIntent, startReplica } from '../support/audit.ts'
import { openTestStore, storeKinds } from '../support/store.ts'

const digest = 'd'.repeat(64)

describe.skipIf(!storeKinds.includes('postgres'))(
  'how an action under a grant ended (needs PostgreSQL: the embedded store has one process)',
  () => {
    it('is what the one knows who sent it, also where another had to give it up meanwhile', async () => {
      const store = await openTestStore('postgres')
      const { audit } = await startReplica(store)
      const { audit: other } = await startReplica(store)
      const action = { id: crypto.randomUUID(), name: 'http.request' }
      const approval = crypto.randomUUID()
      const ended = (outcome: Outcome) => ({ type: 'action.completed' as const, action, outcome })
      const last = () => findRecordedRun(store, [approval], digest)
      expect(await last()).toBeNull()
      await audit.append(anIntent({ type: 'action.dispatched', action, approval, digest }))
      expect(await last()).toEqual({ approval, result: null })

      // It is stopped while it says so. The time in its event is that of what happened.
      const [stopped, goesOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()]
      const late = store.tx(async (tx) => {
        await audit.write(tx, ended({ result: 'succeeded', status: 201 }))
        stopped.resolve()
        await goesOn.promise
      })
      await stopped.promise
      await other.append(ended({ result: 'unknown' }))
      expect(await last()).toEqual({ approval, result: 'unknown' })
      goesOn.resolve()
      await late
      expect(await last()).toEqual({ approval, result: 'succeeded' })
    })
  },
)
