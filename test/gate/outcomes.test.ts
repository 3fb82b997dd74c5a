import { expect, test } from 'vitest'
import { Outcomes } from '../../src/gate/outcomes.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { anIntent, startReplica } from '../support/audit.ts'
import { openTestStore } from '../support/store.ts'

test('an outcome that no record can have is given up, in the log, and keeps no gateway from stopping', async () => {
  const { lease, audit } = await startReplica(await openTestStore())
  const logged: string[] = []
  const log = createLog('warn', { write: (line) => void logged.push(line) })
  const outcomes = new Outcomes(lease, log)
  // As an upstream might write it.
  const outcome = { result: 'failed', error: 'a\0b' } as const
  const completed = anIntent({ type: 'action.completed', outcome })
  let tries = 0
  await outcomes.persist(lease.epoch, () => {
    tries++
    return audit.appendSoon(completed)
  })
  await outcomes.close()
  expect(tries).toBe(1)
  expect(logged.join('')).toContain('an outcome could not be recorded; it stays unknown')
})
