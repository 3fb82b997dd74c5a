import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import pg from 'pg'
import { afterAll, beforeAll, describe, expect, inject, onTestFinished, test } from 'vitest'
import { cancel, failureOf, hasPostgres, startDatabase, type DatabaseGateway } from './database.ts'

const policies = `rules:
  - { name: agents-work, who: { group: agents }, on: orders, then: allow }
`

describe.runIf(hasPostgres)('a cancel request', () => {
  let db: DatabaseGateway
  beforeAll(async () => {
    db = await startDatabase({ policies })
  })
  afterAll(() => db.close())

  test('takes back what has come, and waits for its record: it never runs', async () => {
    const client = await db.connect()
    await client.query('SELECT 1')
    const store = new pg.Client({ connectionString: db.gateway.databaseUrl! })
    await store.connect()
    await store.query('BEGIN; LOCK TABLE sallyport.audit_events IN EXCLUSIVE MODE')
    const inserting = failureOf(client.query('INSERT INTO orders VALUES (5000, 1, 1)'))
    const waiters = `SELECT FROM pg_locks WHERE NOT granted AND relation = 'sallyport.audit_events'::regclass`
    while ((await store.query(waiters)).rowCount === 0);
    await cancel(client)
    await store.query('ROLLBACK')
    await store.end()
    expect(await inserting).toMatchObject({ code: '57014', severity: 'ERROR' })
    expect((await client.query('SELECT FROM orders WHERE id = 5000')).rowCount).toBe(0)
  })

  test('of a client that has nothing to take back does nothing', async () => {
    const client = await db.connect()
    await client.query('SELECT 1')
    await cancel(client)
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
  })
  test('is over when the server has it, so that what its client sends next is not hit', async () => {
    const seen: string[] = []
    const road = await slowRoad(() => seen.push('the server'))
    const far = await startDatabase({ policies, upstream: { host: '127.0.0.1', port: road } })
    onTestFinished(() => far.close())
    const client = await far.connect()
    const sleeping = failureOf(client.query('SELECT pg_sleep(60)'))
    const { processID } = client as unknown as { processID: number }
    const runs = `SELECT FROM pg_stat_activity WHERE pid = ${processID} AND state = 'active' AND query LIKE '%pg_sleep%'`
    while ((await far.direct.query(runs)).rowCount === 0);
    await cancel(client)
    seen.push('the client')
    expect(await sleeping).toMatchObject({ code: '57014' })
    expect(seen).toEqual(['the server', 'the client'])
    expect((await client.query('SELECT 1 AS one')).rows).toEqual([{ one: 1 }])
  })
})

/** The port of a way to the server on which cancel requests take their time; `arrived` is called when one is sent on. */
async function slowRoad(arrived: () => void): Promise<number> {
  const { hostname, port } = new URL(inject('postgres')!.server)
  const relay = createServer({ allowHalfOpen: true }, (near: Socket) => {
    const far = connect(Number(port), hostname)
    const part = () => [near, far].map((socket) => socket.destroy())
    near.on('error', part).on('close', part)
    far.on('error', part).on('close', part)
    near.once('data', (first: Buffer) => {
      near.pause()
      const goOn = () => {
        far.write(first)
        near.pipe(far)
      }
      if (first.length !== 16) return goOn()
      setTimeout(() => {
        arrived()
        goOn()
      }, 200)
    })
    far.pipe(near)
  }).listen(0, '127.0.0.1')
  await once(relay, 'listening')
  onTestFinished(() => void relay.close())
  return (relay.address() as AddressInfo).port
}
