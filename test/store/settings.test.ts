import { Client } from 'pg'
import { expect, test } from 'vitest'
import { openPostgres } from '../../src/store/postgres.ts'
import { atEnd, createTestDatabase, storeKinds } from '../support/store.ts'

test.runIf(storeKinds.includes('postgres'))(
  'values come and go as they are, whatever somebody set for the database',
  async () => {
    const url = await createTestDatabase()
    const owner = new Client({ connectionString: url })
    await owner.connect()
    const name = new URL(url).pathname.slice(1)
    for (const setting of [
      `DateStyle = 'SQL, DMY'`,
      `TimeZone = 'Asia/Kathmandu'`,
      `bytea_output = 'escape'`,
      'extra_float_digits = -15',
      'standard_conforming_strings = off',
      'array_nulls = off',
      'transform_null_equals = on',
      `default_transaction_isolation = 'serializable'`,
    ])
      await owner.query(`ALTER DATABASE ${name} SET ${setting}`)
    await owner.end()

    const store = await openPostgres(url)
    atEnd(() => store.end())
    const at = new Date('2026-11-10T12:34:56.789Z')
    const [row] = await store.query(
      String.raw`SELECT $1::timestamptz AS at, ARRAY[$1::timestamptz] AS several, $1::timestamptz::text AS text,
              $2::bytea AS bytes, 1763987654321.25::float8::text AS number, '\d' AS pattern,
              '{NULL}'::text[] AS none, NULL = NULL AS same,
              current_setting('transaction_isolation') AS isolation`,
      [at, Buffer.from([0, 92, 255])],
    )
    expect(row).toEqual({
      at,
      several: [at],
      text: '2026-11-10 12:34:56.789+00',
      bytes: Buffer.from([0, 92, 255]),
      number: '1763987654321.25',
      pattern: String.raw`\d`,
      none: [null],
      same: null,
      isolation: 'read committed',
    })
  },
)
