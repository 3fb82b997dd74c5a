import { Writable } from 'node:stream'
import type { Connection } from 'pg'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Prepared, Store } from '../../src/store/db.ts'
import { Exchange } from '../../src/store/exchange.ts'
import { Statements } from '../../src/store/statements.ts'
import { openTestStore, storeKinds } from '../support/store.ts'

const id = '0197a1b2-c3d4-7e5f-8a6b-0c1d2e3f4a5b'

const everyType: Prepared = {
  name: 'test_every_type',
  text: `SELECT $1::text, $2::uuid, $3::bigint, extract(epoch FROM $4::timestamptz) * 1000, encode($5::bytea, 'hex'),
    encode($6::bytea, 'hex'), $7::uuid[], $8::bigint[]`,
}
const echo: Prepared = { name: 'test_echo', text: 'SELECT $1::text' }
const keep: Prepared = { name: 'test_keep', text: 'INSERT INTO kept VALUES ($1::bigint)' }
const count: Prepared = { name: 'test_count', text: 'SELECT count(*) FROM kept' }

describe.each(storeKinds)('statements that go out together, on the %s store', (kind) => {
  let store: Store

  beforeAll(async () => {
    store = await openTestStore(kind)
  })

  test('every type arrives as it was given', async () => {
    const [text, time, number] = ['añ"\\{}', Date.UTC(2026, 10, 22, 7, 8, 9, 123), 2 ** 53 - 1]
    const given = new Statements()
      .begin(everyType, 8)
      .text(text)
      .uuid(id)
      .bigint(-number)
      .time(time)
      .bytes(Buffer.from([0, 255]))
      .hex(['00', 'ff01'])
      .uuids([id, id])
      .bigints([1, -1, number])
    expect(await store.exchange(given)).toEqual([
      ...[text, id, `${-number}`, expect.stringMatching(new RegExp(`^${time}(\\.0*)?$`))],
      ...['00ff', '00ff01', `{${id},${id}}`, `{1,-1,${number}}`],
    ])
  })

  test('what is not there is NULL, a list of nothing is empty, and a time may be long ago', async () => {
    const none = new Statements().begin(everyType, 8).text(null).uuid(undefined).bigint(null)
    none.time(Date.UTC(1969, 0)).bytes(null).hex([]).uuids([]).bigints([])
    expect(await store.exchange(none)).toEqual([
      ...[null, null, null, expect.stringMatching(/^-31536000000/)],
      ...[null, '', '{}', '{}'],
    ])
  })

  test('texts of any length find room', async () => {
    const long = 'ä'.repeat(300_000)
    const given = new Statements().begin(everyType, 8).text(long).uuid(id).bigint(1).time(0)
    given.bytes(Buffer.alloc(100_000, 1)).hex([]).uuids([]).bigints([])
    const [text, , , , bytes] = await store.exchange(given)
    expect(text === long && bytes === '01'.repeat(100_000)).toBe(true)
  })

  test('all of them take effect, or none; and the session can be used afterwards', async () => {
    await store.tx(async (tx) => {
      await tx.query('CREATE TEMPORARY TABLE kept (n bigint CHECK (n < 3)) ON COMMIT DROP')
      const two = new Statements().begin(keep, 1).bigint(1).begin(keep, 1).bigint(2).begin(count, 0)
      expect(await tx.exchange(two)).toEqual(['2'])
    })
    const epoch = {
      name: 'test_epoch',
      text: 'SELECT epoch FROM sallyport.replicas WHERE replica = $1::uuid',
    }
    const begin = {
      name: 'test_begin',
      text: `INSERT INTO sallyport.replicas (replica, epoch, lease_until) VALUES ($1::uuid, $2::bigint, clock_timestamp())`,
    }
    const twice = new Statements()
      .begin(begin, 2)
      .uuid(id)
      .bigint(1)
      .begin(begin, 2)
      .uuid(id)
      .bigint(1)
    await expect(store.exchange(twice)).rejects.toMatchObject({ code: '23505' })
    expect(await store.exchange(new Statements().begin(epoch, 1).uuid(id))).toEqual([])
    const once = new Statements().begin(begin, 2).uuid(id).bigint(1).begin(epoch, 1).uuid(id)
    expect(await store.exchange(once)).toEqual(['1'])
  })

  test('a statement that the server does not understand is read anew when it does', async () => {
    const later: Prepared = { name: 'test_later', text: 'SELECT n FROM not_there_yet' }
    const asking = () => new Statements().begin(later, 0)
    await store.tx(async (tx) => {
      await tx.query('SAVEPOINT before')
      await expect(tx.exchange(asking())).rejects.toMatchObject({ code: '42P01' })
      await tx.query('ROLLBACK TO before')
      await tx.query('CREATE TEMPORARY TABLE not_there_yet ON COMMIT DROP AS SELECT 7 AS n')
      expect(await tx.exchange(asking())).toEqual(['7'])
      // Read by now, and no more than once.
      expect(await tx.exchange(asking())).toEqual(['7'])
    })
  })

  test.each(['', 'not-a-uuid', `${id}0`, id.replace('0', 'x'), `${id.slice(1)}é`])(
    'refuses %j for a UUID, as the server does',
    (text) => {
      const statements = new Statements().begin(everyType, 8)
      expect(() => statements.uuid(text)).toThrow(expect.objectContaining({ code: '22P02' }))
    },
  )
})

test('what a socket has not written yet is not changed by what is put together meanwhile', () => {
  const written: string[] = []
  let goOn = () => {}
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      goOn = () => {
        written.push(chunk.toString('latin1'))
        done()
      }
    },
  })
  const connection = { stream } as unknown as Connection
  const send = (text: string) => {
    const exchange = new Exchange(new Statements().begin(echo, 1).text(text), () => {})
    exchange.submit(connection)
    return exchange
  }
  // From then on the session knows the statement, and gets the bytes as they were put together.
  const first = send('the first')
  goOn()
  first.handleReadyForQuery()

  send('the second')
  new Statements().begin(echo, 1).text('something else')
  goOn()
  expect(written[1]).toContain('the second')
})
