import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasPostgres, startDatabase, type DatabaseGateway } from './database.ts'

const token = 'the-token-that-prometheus-has'

describe.runIf(hasPostgres)('metrics of a database', () => {
  let db: DatabaseGateway
  beforeAll(async () => {
    db = await startDatabase({
      policies: 'rules:\n  - { name: all, on: orders, then: allow }\n',
      config: `metrics: { token: ${token} }`,
    })
  })
  afterAll(() => db.close())

  async function sample(name: string): Promise<number> {
    const headers = { authorization: `Bearer ${token}` }
    const text = await (await fetch(`${db.gateway.controlUrl}/metrics`, { headers })).text()
    const line = text
      .split('\n')
      .find((one) => one.startsWith(`sallyport_${name}{resource="orders"}`))
    return Number(line?.split(' ')[1])
  }

  test('say how many sessions are open, and what their statements returned', async () => {
    expect(await sample('database_sessions')).toBe(0)
    const first = await db.connect()
    const second = await db.connect()
    expect(await sample('database_sessions')).toBe(2)
    await first.query('SELECT id FROM orders LIMIT 7')
    await second.query('SELECT id FROM orders LIMIT 3')
    await expect.poll(() => sample('action_rows_total'), { timeout: 60_000 }).toBe(10)
    expect(await sample('action_bytes_total')).toBeGreaterThan(100)
    await first.end()
    await second.end()
    await expect.poll(() => sample('database_sessions'), { timeout: 60_000 }).toBe(0)
  })
})
