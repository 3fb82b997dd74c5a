import { setImmediate as nextTurn } from 'node:timers/promises'
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { openAuditLog } from '../../src/audit/append.ts'
import { verifyStore } from '../../src/audit/verify.ts'
import type { Store } from '../../src/store/db.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { anIntent, startReplica, until, type TestReplica } from '../support/audit.ts'
import { openTestStore, storeKinds } from '../support/store.ts'

describe.each(storeKinds)('the audit log on the %s store', (kind) => {
  let store: Store
  let replica: TestReplica

  beforeAll(async () => {
    store = await openTestStore(kind)
    replica = await startReplica(store)
  })

  const recorded = async (action: string) =>
    store.query<{ n: number | null }>('SELECT n FROM sallyport.audit_log WHERE action = $1', [
      action,
    ])

  test('has an event and its link when append resolves', async () => {
    const event = anIntent()
    await replica.audit.append(event)
    expect(await recorded(event.action!.id)).toEqual([{ n: expect.any(Number) }])
  })

  test('links many events that come at once into one chain, in the order in which they came', async () => {
    const events = Array.from({ length: 700 }, () => anIntent())
    await Promise.all(events.map((event) => replica.audit.append(event)))
    const places = await store.query<{ action: string; n: number }>(
      'SELECT action, n FROM sallyport.audit_log WHERE action = ANY ($1::uuid[]) ORDER BY n',
      [events.map(({ action }) => action!.id)],
    )
    expect(places.map(({ action }) => action)).toEqual(events.map(({ action }) => action!.id))
    expect(places.at(-1)!.n - places[0]!.n).toBe(699)
  })

  test('sends what waits before those who waited for the last batch go on', async () => {
    const exchange = vi.spyOn(store, 'exchange')
    onTestFinished(() => exchange.mockRestore())
    const first = replica.audit.append(anIntent())
    while (exchange.mock.calls.length === 0) await nextTurn()
    const second = replica.audit.append(anIntent())
    await first
    expect(exchange).toHaveBeenCalledTimes(2)
    await second
  })

  test('writes what nobody waits for, also when nothing follows', async () => {
    const event = anIntent()
    await replica.audit.soon(event)()
    expect(await recorded(event.action!.id)).toEqual([{ n: expect.any(Number) }])
  })

  test('writes an event with the transaction of its caller, and links it after the commit', async () => {
    const event = anIntent({ type: 'action.dispatched' })
    await store.tx((tx) => replica.audit.write(tx, event))
    replica.audit.linkWritten()
    await until(async () => (await recorded(event.action!.id))[0]?.n !== null)
    expect(await store.query('SELECT * FROM sallyport.audit_unlinked')).toEqual([])
  })

  test('attack class 26: links an event once, whatever somebody wrote on the work list', async () => {
    await store.tx((tx) => replica.audit.write(tx, anIntent()))
    replica.audit.linkWritten()
    await until(
      async () => (await store.query('SELECT FROM sallyport.audit_unlinked')).length === 0,
    )
    await replica.audit.append(anIntent())
    await store.query(
      `INSERT INTO sallyport.audit_unlinked (event, replica, epoch)
       SELECT id, replica, epoch FROM sallyport.audit_events WHERE replica = $1`,
      [replica.lease.replica],
    )
    replica.audit.linkWritten()
    await replica.audit.append(anIntent())
    replica.audit.linkWritten()
    await replica.audit.append(anIntent())
    const [linked] = await store.query<{ times: number }>(
      `SELECT max(times) AS times FROM (
         SELECT count(*) AS times FROM sallyport.audit_links, unnest(events) event GROUP BY event) each`,
    )
    expect(linked).toEqual({ times: 1 })
    expect(await verifyStore(store)).toMatchObject({ ok: true })
  })

  test('keeps nothing of an event whose transaction is rolled back', async () => {
    const event = anIntent()
    const lostRace = store.tx(async (tx) => {
      await replica.audit.write(tx, event)
      throw new Error('somebody else was faster')
    })
    await expect(lostRace).rejects.toThrow('somebody else was faster')
    expect(await recorded(event.action!.id)).toEqual([])
  })

  test.each([
    ['NUL', { http: { path: '/a\0b' } }],
    ['a lone surrogate', { http: { path: '/\ud800' } }],
    ['a lone surrogate in a key', { http: { '\udfff': 1 } }],
    ['NUL beside keys that look like an index', { http: { 1: '\0' } }],
    ['a number that is not finite', { http: { body: Infinity } }],
    ['nesting without end', deep(200)],
  ])('refuses an event with %s alone, and records its neighbours', async (_, attributes) => {
    const [before, after] = [anIntent(), anIntent()]
    const [first, poison, second] = await Promise.allSettled([
      replica.audit.append(before),
      replica.audit.append(anIntent({ attributes })),
      replica.audit.append(after),
    ])
    expect(poison).toMatchObject({ status: 'rejected', reason: { code: 'bad-request' } })
    expect([first.status, second.status]).toEqual(['fulfilled', 'fulfilled'])
    expect(await recorded(after.action!.id)).toHaveLength(1)
  })

  test('finds the one event that the database refuses, and records the other hundred', async () => {
    const good = Array.from({ length: 100 }, () => anIntent())
    const bad = anIntent({ action: { id: 'not-a-uuid', name: 'http.request' } })
    const all = [...good.slice(0, 37), bad, ...good.slice(37)]
    const results = await Promise.allSettled(all.map((event) => replica.audit.append(event)))
    expect(results.flatMap(({ status }, i) => (status === 'rejected' ? i : []))).toEqual([37])
    expect(await recorded(good[99]!.action!.id)).toHaveLength(1)
  })

  test('tells the time of the database', async () => {
    const before = replica.audit.now()
    const [row] = await store.query<{ now: Date }>('SELECT clock_timestamp() AS now')
    const after = replica.audit.now()
    // However long the answer took.
    expect(row!.now.getTime()).toBeGreaterThan(before - 2_000)
    expect(row!.now.getTime()).toBeLessThan(after + 2_000)
  })

  test('leaves a log that verifies', async () => {
    const { ok, findings, chains } = await verifyStore(store)
    expect(findings).toEqual([])
    expect(ok).toBe(true)
    expect(chains).toMatchObject([{ replica: replica.lease.replica, epoch: 1, first: 1 }])
  })
})

test.each(storeKinds)(
  'what nobody waits for shares the transaction of the next event on the %s store',
  async (kind) => {
    const store = await openTestStore(kind)
    const { audit } = await startReplica(store)
    await audit.append(anIntent())
    // The time after which it would go alone does not come.
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
    onTestFinished(() => void vi.useRealTimers())
    const [before, event] = [anIntent(), anIntent()]
    const durable = audit.soon(before)()
    await store.query('SELECT 1')
    expect(audit.waiting).toBe(1)

    await Promise.all([audit.append(event), durable])
    const together = await store.query(
      `SELECT first FROM sallyport.audit_links l
      WHERE EXISTS (SELECT FROM sallyport.audit_events WHERE id = ANY (l.events) AND action = $1)
        AND EXISTS (SELECT FROM sallyport.audit_events WHERE id = ANY (l.events) AND action = $2)`,
      [before.action!.id, event.action!.id],
    )
    expect(together).toHaveLength(1)
  },
)

function deep(levels: number): Record<string, never> {
  return (levels === 0 ? {} : { a: deep(levels - 1) }) as Record<string, never>
}

test('an event that cannot be counted is durable all the same, as are those behind it', async () => {
  const store = await openTestStore()
  const { lease } = await startReplica(store)
  const lines: string[] = []
  const log = createLog('error', { write: (line) => void lines.push(line) })
  const audit = await openAuditLog({ store, lease, log })
  // Nobody completes an action without an outcome: the counters rely on it.
  const events = [anIntent({ type: 'action.completed' }), anIntent()]
  await Promise.all(events.map((event) => audit.append(event)))
  await audit.append(anIntent())
  await audit.close()
  expect(await store.query('SELECT type FROM sallyport.audit_log ORDER BY n')).toEqual([
    { type: 'action.completed' },
    { type: 'action.decided' },
    { type: 'action.decided' },
  ])
  expect(lines.map((line) => JSON.parse(line).msg)).toEqual(['an event could not be counted'])
})
