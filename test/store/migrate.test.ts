import { Client } from 'pg'
import { beforeEach, describe, expect, test } from 'vitest'
import { MistakesError } from '../../src/core/errors.ts'
import { migrate } from '../../src/store/migrate.ts'
import { openPostgres } from '../../src/store/postgres.ts'
import { atEnd, createTestDatabase, storeKinds } from '../support/store.ts'

describe.runIf(storeKinds.includes('postgres'))('migrating', () => {
  let url: string
  let owner: Client

  beforeEach(async () => {
    url = await createTestDatabase()
    owner = new Client({ connectionString: url })
    await owner.connect()
    const mine = owner
    atEnd(() => mine.end())
  })

  test('replicas that start together on an empty database take turns', async () => {
    await owner.query('DROP SCHEMA sallyport CASCADE')
    const stores = await Promise.all(Array.from({ length: 4 }, () => openPostgres(url)))
    const applied = await stores[0]!.query<{ file: string }>(
      'SELECT file FROM sallyport.migrations ORDER BY file',
    )
    expect(applied.slice(0, 2)).toEqual([
      { file: '0001_foundation.sql' },
      { file: '0002_audit.sql' },
    ])
    await Promise.all(stores.map((store) => store.end()))
  })

  test('a second time does nothing', async () => {
    const state = 'SELECT file, checksum, applied_at FROM sallyport.migrations ORDER BY file'
    const before = await owner.query(state)
    await migrate(owner)
    expect((await owner.query(state)).rows).toEqual(before.rows)
  })

  test('a migration that was edited after it had been applied is refused, with what to do', async () => {
    await owner.query(
      `UPDATE sallyport.migrations SET checksum = 'other' WHERE file = '0002_audit.sql'`,
    )
    const opening = openPostgres(url)
    await expect(opening).rejects.toBeInstanceOf(MistakesError)
    await expect(opening).rejects.toMatchObject({
      mistakes: [{ file: 'migrations/0002_audit.sql', remedy: expect.stringContaining('Restore') }],
    })
  })

  test('a database of a newer version is refused', async () => {
    await owner.query(
      `INSERT INTO sallyport.migrations (file, checksum) VALUES ('9999_future.sql', 'x')`,
    )
    await expect(openPostgres(url)).rejects.toThrow('this version of Sallyport does not have it')
  })
})
