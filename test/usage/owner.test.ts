import { Client } from 'pg'
import { afterAll, beforeAll, describe, expect, inject, test } from 'vitest'
import type { AuditLog } from '../../src/audit/append.ts'
import type { Store } from '../../src/store/db.ts'
import { openPostgres } from '../../src/store/postgres.ts'
import { usageOf } from '../../src/usage/report.ts'
import { startReplica } from '../support/audit.ts'
import { atEnd, createTestDatabase } from '../support/store.ts'
import { act, countAll, customers } from './support.ts'

const hour = 3_600_000
const range = { from: new Date(Date.now() - hour), to: new Date(Date.now() + hour) }

describe.skipIf(!inject('postgres'))('what the owner of the tables does with counts', () => {
  let store: Store
  let owner: Client
  let eraser: Client
  let audit: AuditLog

  beforeAll(async () => {
    const url = await createTestDatabase()
    store = await openPostgres(url)
    atEnd(() => store.end())
    audit = (await startReplica(store)).audit
    owner = new Client({ connectionString: url })
    await owner.connect()
    const asAdmin = new URL(inject('postgres')!.server)
    asAdmin.pathname = new URL(url).pathname
    eraser = new Client({ connectionString: asAdmin.href })
    await eraser.connect()
    await eraser.query('SET ROLE sallyport_eraser')
    for (const by of ['agent-7', 'agent-8']) {
      await act(audit, { by, outcome: { result: 'succeeded', rows: 5 }, usage: customers })
      await act(audit, { by, outcome: { result: 'succeeded', rows: 2 } })
    }
    await countAll(store)
  })
  afterAll(async () => {
    await owner.end()
    await eraser.end()
  })

  /** Everything that is counted. */
  async function everything() {
    const { rows } = await owner.query('SELECT * FROM sallyport.usage_hours ORDER BY hour, key')
    const first = await owner.query('SELECT * FROM sallyport.usage_first ORDER BY who, item')
    return { rows, first: first.rows }
  }

  async function rebuild() {
    await owner.query('SELECT sallyport.usage_rebuild()')
    expect((await everything()).rows).toEqual([])
    await countAll(store)
  }

  const bySubject = async () => {
    const { usage } = await usageOf(store, { ...range, by: 'subject' })
    return usage.map(({ name, runs, rows }) => [name, runs, rows])
  }

  test('all of it can be made anew from the log, and is the same', async () => {
    const before = await everything()
    expect(before.rows).toHaveLength(4)
    expect(before.first).toHaveLength(4)
    await rebuild()
    expect(await everything()).toEqual(before)
  })

  test('the gateway changes no count but by counting', async () => {
    for (const statement of [
      'DELETE FROM sallyport.usage_hours',
      'DELETE FROM sallyport.usage_first',
      'UPDATE sallyport.usage_first SET item = item',
      'SELECT sallyport.usage_rebuild()',
    ]) {
      await expect(store.query(statement)).rejects.toThrow('permission denied')
    }
  })

  test('who is erased from the log is erased here, and what they did stays counted', async () => {
    await eraser.query(`SELECT sallyport.erase_person($1, 'agent-7', 'request number 17')`, [
      'https://idp.example.com',
    ])
    const erased = [
      ['agent-8', 2, 7],
      [null, 2, 7],
    ]
    expect(await bySubject()).toEqual(erased)
    expect(JSON.stringify(await everything())).not.toContain('agent-7')
    await rebuild()
    expect(await bySubject()).toEqual(erased)
    expect(JSON.stringify(await everything())).not.toContain('agent-7')
  })
})
