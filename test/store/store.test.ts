import { beforeAll, describe, expect, test } from 'vitest'
import { StoreError, type Store } from '../../src/store/db.ts'
import { until } from '../support/audit.ts'
import { openTestStore, storeKinds } from '../support/store.ts'

const aReplica = `INSERT INTO sallyport.replicas (replica, epoch, lease_until)
                  VALUES ($1, $2, clock_timestamp())`

describe.each(storeKinds)('the %s store', (kind) => {
  let store: Store

  beforeAll(async () => {
    store = await openTestStore(kind)
  })

  const epochsOf = async (replica: string) =>
    (
      await store.query<{ epoch: number }>('SELECT epoch FROM replicas WHERE replica = $1', [
        replica,
      ])
    ).map(({ epoch }) => epoch)

  test('says what it is', async () => {
    expect(store.kind).toBe(kind)
    expect(await store.query('SELECT current_user AS me')).toEqual([{ me: 'sallyport_gateway' }])
  })

  test('gives every type the same value that the other store gives', async () => {
    const [row] = await store.query(`
      SELECT 9007199254740991::bigint AS big, ARRAY[1, NULL, 3]::bigint[] AS bigs, count(*) AS counted,
             '\\x00ff'::bytea AS bytes, ARRAY['\\x01'::bytea] AS byte_strings,
             '2026-11-21T12:34:56.789Z'::timestamptz AS time,
             '{"a": [1, {"b": null}]}'::jsonb AS json, '[1,2]'::json AS list, true AS yes, NULL::text AS nothing,
             ARRAY['a', 'b,"c', NULL]::text[] AS texts, 1.5::float8 AS float, 7::int AS int,
             '0190163d-8694-739b-aea5-966c26f8ad91'::uuid AS id, ARRAY[]::uuid[] AS ids`)
    expect(row).toEqual({
      big: 9007199254740991,
      bigs: [1, null, 3],
      counted: 1,
      bytes: Buffer.from([0, 255]),
      byte_strings: [Buffer.from([1])],
      time: new Date('2026-11-21T12:34:56.789Z'),
      json: { a: [1, { b: null }] },
      list: [1, 2],
      yes: true,
      nothing: null,
      texts: ['a', 'b,"c', null],
      float: 1.5,
      int: 7,
      id: '0190163d-8694-739b-aea5-966c26f8ad91',
      ids: [],
    })
  })

  test('takes every type that it gives', async () => {
    const values = [
      Number.MAX_SAFE_INTEGER,
      Buffer.from([0, 1, 255]),
      new Date('2026-11-21T12:34:56.789Z'),
      JSON.stringify({ a: ['b'] }),
      ['x', 'y"\\', null],
      [Buffer.from([9])],
      [1, 2],
      null,
    ]
    const [row] = await store.query(
      `SELECT $1::bigint AS a, $2::bytea AS b, $3::timestamptz AS c, $4::jsonb AS d,
              $5::text[] AS e, $6::bytea[] AS f, $7::bigint[] AS g, $8::text AS h`,
      values,
    )
    expect(Object.values(row!)).toEqual(values.with(3, { a: ['b'] } as never))
  })

  test('refuses an integer that a number cannot hold, and can be used afterwards', async () => {
    const query = store.query('SELECT 9007199254740993::bigint')
    await expect(query).rejects.toMatchObject({ code: '22003' })
    expect(await store.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  test('names an error by its SQLSTATE', async () => {
    const replica = crypto.randomUUID()
    await store.query(aReplica, [replica, 1])
    const again = store.query(aReplica, [replica, 1])
    await expect(again).rejects.toBeInstanceOf(StoreError)
    await expect(again).rejects.toMatchObject({ code: '23505', ambiguous: false })
    await expect(store.query('SELEKT')).rejects.toMatchObject({ code: '42601' })
  })

  test('commits what a transaction did, or nothing of it', async () => {
    const replica = crypto.randomUUID()
    await store.tx((tx) => tx.query(aReplica, [replica, 1]))
    const failing = store.tx(async (tx) => {
      await tx.query(aReplica, [replica, 2])
      throw new Error('changed my mind')
    })
    await expect(failing).rejects.toThrow('changed my mind')
    expect(await epochsOf(replica)).toEqual([1])
  })

  test('does not say that it committed when a statement had failed', async () => {
    const replica = crypto.randomUUID()
    const careless = store.tx(async (tx) => {
      await tx.query(aReplica, [replica, 1])
      await tx.query('SELECT 1/0').catch(() => undefined)
    })
    await expect(careless).rejects.toMatchObject({ code: '25P02' })
    expect(await epochsOf(replica)).toEqual([])
  })

  test('refuses work on a transaction that is over', async () => {
    const kept = await store.tx(async (tx) => tx)
    await expect(kept.query('SELECT 1')).rejects.toMatchObject({ code: '25P01' })
  })

  test('keeps transactions apart that run at the same time', async () => {
    const replica = crypto.randomUUID()
    await Promise.all(
      Array.from({ length: 30 }, (_, i) => store.tx((tx) => tx.query(aReplica, [replica, i + 1]))),
    )
    expect(await epochsOf(replica)).toHaveLength(30)
  })

  test('tells those who listen, until they stop', async () => {
    const heard = new Set<string | null>()
    const stop = await store.listen('news', (payload) => heard.add(payload))
    await store.listen('other news', (payload) => heard.add(`other: ${payload}`))
    await store.notify('news', 'first')
    await store.notify('other news', 'ü"\'')
    await until(async () => heard.size === 2)
    expect(heard).toEqual(new Set(['first', 'other: ü"\'']))
    await stop()
    await store.notify('news', 'second')
    await store.notify('other news', 'last')
    await until(async () => heard.size === 3)
    expect(heard).toContain('other: last')
  })

  test('does not let the gateway near the schema', async () => {
    for (const sql of [
      'CREATE TABLE sallyport.mine ()',
      'DROP TABLE sallyport.replicas',
      'DELETE FROM sallyport.migrations',
    ]) {
      await expect(store.query(sql)).rejects.toMatchObject({ code: '42501' })
    }
  })

  test('ends once, however often it is asked to, and answers nothing afterwards', async () => {
    const other = await openTestStore(kind)
    await Promise.all([other.end(), other.end()])
    await expect(other.query('SELECT 1')).rejects.toMatchObject({ code: '08001', ambiguous: true })
  })
})
