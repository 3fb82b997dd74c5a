import { beforeAll, describe, expect, test } from 'vitest'
import { readCopied, sqlInteger, sqlUuid } from '../../src/store/copied-rows.ts'
import type { Store } from '../../src/store/db.ts'
import { openTestStore, storeKinds } from '../support/store.ts'

const id = '0197a1b2-c3d4-7e5f-8a6b-0c1d2e3f4a5b'
const long = 'ä'.repeat(300_000)
const most = Number.MAX_SAFE_INTEGER

describe.each(storeKinds)('rows as bytes, on the %s store', (kind) => {
  let store: Store

  beforeAll(async () => {
    store = await openTestStore(kind)
  })

  test('every type arrives as it is there, in the order of the rows', async () => {
    const rows = await readCopied(
      store,
      `SELECT n::int, n * ${sqlInteger(most)}, ${sqlUuid(id)}::text, repeat('ä', 300000), '\\x00ff'::bytea, NULL::bytea,
              NULL::bytea, convert_to('añ', 'UTF8'), '\\x61ff62'::bytea, convert_to(U&'\\FFFD', 'UTF8'), 'x', NULL
         FROM generate_series(1::bigint, -1, -2) AS n`,
      (values) => [
        ...[values.integer(), values.bigint(), values.text(), values.text() === long],
        ...[values.bytes(), values.bytesOrNull(), values.textOrBytes(), values.textOrBytes()],
        ...[values.textOrBytes(), values.textOrBytes(), values.textOrNull(), values.textOrNull()],
      ],
    )
    const rest = [
      ...[id, true, Buffer.from([0, 255]), null, null, 'añ'],
      ...[Buffer.from([0x61, 0xff, 0x62]), '\ufffd', 'x', null],
    ]
    expect(rows).toEqual([
      [1, most, ...rest],
      [-1, -most, ...rest],
    ])
  })

  test('a query without rows has none', async () => {
    expect(await readCopied(store, 'SELECT 1 WHERE false', (values) => values.integer())).toEqual(
      [],
    )
  })

  test('what the server says of it is its error, in the middle of the rows too', async () => {
    const divided = `SELECT 1 / (3 - n) FROM generate_series(1, 5) AS n`
    await expect(readCopied(store, divided, (values) => values.integer())).rejects.toMatchObject({
      code: '22012',
    })
    expect(await store.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  test('what cannot be read is an error of whoever asked, and of nobody else', async () => {
    const nulls = `SELECT NULL::int FROM generate_series(1, 5)`
    await expect(readCopied(store, nulls, (values) => values.integer())).rejects.toThrow('null')
    const large = `SELECT 9007199254740993::bigint`
    await expect(readCopied(store, large, (values) => values.bigint())).rejects.toThrow(RangeError)
    expect(await store.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
  })

  test('in a transaction it sees what the transaction does', async () => {
    const seen = await store.tx(async (tx) => {
      await tx.query(`SELECT set_config('application_name', 'mine', true)`)
      return readCopied(tx, `SELECT current_setting('application_name')`, (values) => values.text())
    })
    expect(seen).toEqual(['mine'])
  })

  test('nothing stands in a query but integers and UUIDs', () => {
    for (const value of [1.5, Number.NaN, 2 ** 53, '1; DROP' as unknown as number]) {
      expect(() => sqlInteger(value)).toThrow(RangeError)
    }
    for (const value of ['', `${id}'`, id.toUpperCase(), "' OR true --"]) {
      expect(() => sqlUuid(value)).toThrow(RangeError)
    }
  })
})
