import { Client } from 'pg'
import { beforeAll, describe, expect, test } from 'vitest'
import type { Store } from '../../src/store/db.ts'
import { openPostgres } from '../../src/store/postgres.ts'
import { until } from '../support/audit.ts'
import { PostgresServer } from '../support/postgres.ts'
import { atEnd, storeKinds } from '../support/store.ts'

const answers = (store: Store) =>
  store.query('SELECT 1').then(
    () => true,
    () => false,
  )

describe.runIf(storeKinds.includes('postgres'))(
  'a PostgreSQL that goes away and comes back',
  () => {
    let server: PostgresServer
    let store: Store
    let url: string

    beforeAll(async () => {
      server = await PostgresServer.start()
      atEnd(() => server.remove())
      url = await server.createDatabase('away')
      store = await openPostgres(url)
      atEnd(() => store.end())
    })

    test('is unavailable meanwhile, also in the middle of a transaction, and works again afterwards', async () => {
      const heard: (string | null)[] = []
      await store.listen('news', (payload) => heard.push(payload))

      const interrupted = store.tx(async (tx) => {
        await tx.query('SELECT 1')
        await server.stop()
        await tx.query('SELECT 2')
      })
      await expect(interrupted).rejects.toMatchObject({ ambiguous: true })
      await expect(store.query('SELECT 1')).rejects.toMatchObject({ ambiguous: true })

      await server.start()
      await until(() => answers(store))
      // Whoever listens is told to look again at everything, and then hears what is new.
      await until(async () => heard.includes(null))
      await store.notify('news', 'back')
      await until(async () => heard.includes('back'))
    })

    test('is refused when a crash could lose what it has committed', async () => {
      const admin = new Client({ connectionString: server.url('postgres', 'postgres') })
      await admin.connect()
      await admin.query('ALTER DATABASE away SET synchronous_commit = off')
      await expect(openPostgres(url)).rejects.toThrow('synchronous_commit = off')
      await admin.query('ALTER DATABASE away SET synchronous_commit = local')
      await (await openPostgres(url)).end()
      await admin.query(`ALTER SYSTEM SET synchronous_standby_names = 'standby'`)
      await admin.query('SELECT pg_reload_conf()')
      await until(async () => {
        const refused = await openPostgres(url).then(
          (opened) => opened.end(),
          (error: Error) => error.message,
        )
        return refused?.includes('promotion of a standby') ?? false
      })
      await admin.end()
    })

    test('is refused when it runs without fsync', async () => {
      await server.stop()
      await server.start(['fsync=off'])
      await expect(openPostgres(url)).rejects.toThrow('fsync')
    })
  },
)
