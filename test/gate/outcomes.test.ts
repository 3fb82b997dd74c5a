import { Client } from 'pg'
import { expect, onTestFinished, test } from 'vitest'
import { openAuditLog } from '../../src/audit/append.ts'
import { Outcomes } from '../../src/gate/outcomes.ts'
import { openPostgres } from '../../src/store/postgres.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { anIntent, quiet, startReplica } from '../support/audit.ts'
import { createTestDatabase, openTestStore, storeKinds } from '../support/store.ts'

test('an outcome that no record can have is given up, in the log, and keeps no gateway from stopping', async () => {
  const { lease, audit } = await startReplica(await openTestStore())
  const logged: string[] = []
  const log = createLog('warn', { write: (line) => void logged.push(line) })
  const outcomes = new Outcomes(lease, log)
  // As an upstream might write it.
  const outcome = { result: 'failed', error: 'a\0b' } as const
  const completed = anIntent({ type: 'action.completed', outcome })
  let tries = 0
  const write = audit.soon(completed)
  await outcomes.persist(lease.epoch, () => {
    tries++
    return write()
  })
  await outcomes.close()
  expect(tries).toBe(1)
  expect(logged.join('')).toContain('an outcome could not be recorded; it stays unknown')
})

test.runIf(storeKinds.includes('postgres'))(
  'an outcome that was given up while its commit was under way is on record once, however often it was tried',
  async () => {
    const url = await createTestDatabase()
    const store = await openPostgres(url)
    const { lease } = await startReplica(store)
    const audit = await openAuditLog({ store, lease, log: quiet, patienceMs: 200 })
    const other = new Client({ connectionString: url })
    await other.connect()
    onTestFinished(async () => {
      await other.end()
      await audit.close()
      await store.end()
    })
    await other.query('BEGIN; LOCK TABLE sallyport.audit_links IN EXCLUSIVE MODE')

    const completed = anIntent({ type: 'action.completed', outcome: { result: 'succeeded' } })
    const write = audit.soon(completed)
    let tries = 0
    const persisted = new Outcomes(lease, quiet).persist(lease.epoch, async () => {
      // The first one was given up by now, and its commit goes on as soon as nobody is in its way.
      if (++tries === 2) await other.query('COMMIT')
      return write()
    })
    await persisted
    expect(tries).toBeGreaterThan(1)
    const recorded = await store.query(
      `SELECT id FROM sallyport.audit_log WHERE action = $1 AND n IS NOT NULL`,
      [completed.action!.id],
    )
    expect(recorded).toHaveLength(1)
  },
)

test('however many outcomes come at once, the log has room for intents, and each is on record', async () => {
  const store = await openTestStore()
  const { lease, audit } = await startReplica(store)
  const outcomes = new Outcomes(lease, quiet)
  let most = 0
  const persisted = Array.from({ length: 10_000 }, () => {
    const outcome = { result: 'succeeded' } as const
    const write = audit.soon(anIntent({ type: 'action.completed', outcome }))
    return outcomes.persist(lease.epoch, () => {
      most = Math.max(most, audit.waiting)
      return write()
    })
  })
  expect(audit.waiting).toBeLessThanOrEqual(2_000)
  await Promise.all(persisted)
  expect(most).toBeLessThanOrEqual(2_000)
  const [recorded] = await store.query<{ count: number }>(
    "SELECT count(*)::int AS count FROM sallyport.audit_events WHERE type = 'action.completed'",
  )
  expect(recorded!.count).toBe(10_000)
})
