import { Client } from 'pg'
import { describe, expect, inject, test } from 'vitest'
import { MistakesError } from '../../src/core/errors.ts'
import type { Store } from '../../src/store/db.ts'
import { openPostgres } from '../../src/store/postgres.ts'
import { Statements } from '../../src/store/statements.ts'
import { until } from '../support/audit.ts'
import { atEnd, createTestDatabase, openTestStore, storeKinds } from '../support/store.ts'

describe.runIf(storeKinds.includes('postgres'))('a session of the gateway', () => {
  test('comes back to its role after RESET ROLE, and cannot be given options through the URL', async () => {
    const url = new URL(await createTestDatabase())
    url.searchParams.set('options', '-c role=owner -c search_path=public')
    const store = await openPostgres(url.href)
    atEnd(() => store.end())
    await store.tx(async (tx) => {
      await tx.query('RESET ROLE')
      expect(await tx.query('SELECT current_user AS me')).toEqual([{ me: 'sallyport_gateway' }])
      expect(await tx.query('SHOW search_path')).toEqual([{ search_path: 'sallyport,pg_temp' }])
    })
  })

  test('waits for nothing forever', async () => {
    const store = await openTestStore('postgres')
    const [limits] = await store.query(`
      SELECT current_setting('lock_timeout') AS lock, current_setting('statement_timeout') AS statement,
             current_setting('idle_in_transaction_session_timeout') AS idle`)
    expect(limits).toEqual({ lock: '5s', statement: '10s', idle: '15s' })
  })
})

describe.runIf(storeKinds.includes('postgres'))('the session that is kept for exchanges', () => {
  const whoami = { name: 'test_whoami', text: 'SELECT pg_backend_pid()' }
  const sleep = { name: 'test_sleep', text: 'SELECT pg_backend_pid() FROM pg_sleep(0.1)' }
  const sleepLong = { name: 'test_sleep_long', text: 'SELECT pg_sleep(8)' }
  const fail = { name: 'test_fail', text: 'SELECT 1 / $1::bigint' }
  const by = async (store: Store, statement = whoami) =>
    (await store.exchange(new Statements().begin(statement, 0)))[0]
  const open = async (sessions: number) => {
    const url = await createTestDatabase()
    const store = await openPostgres(url, sessions)
    atEnd(() => store.end())
    return { store, url }
  }

  test('is the same one again, also after an error; and another one beside it where it is busy', async () => {
    const { store } = await open(3)
    const first = await by(store)
    expect(await by(store)).toBe(first)
    await expect(store.exchange(new Statements().begin(fail, 1).bigint(0))).rejects.toMatchObject({
      code: '22012',
    })
    const [busy, beside] = await Promise.all([by(store, sleep), by(store)])
    expect(busy).toBe(first)
    expect(beside).not.toBe(first)
    expect(await by(store)).toBe(first)
  })

  test.each(['between two of them', 'in the middle of one'])(
    'is replaced when it is ended %s',
    async (when) => {
      const { store, url } = await open(3)
      const first = await by(store)
      const admin = new Client({ connectionString: url })
      await admin.connect()
      const inTheMiddle = when.startsWith('in')
      const interrupted = by(store, inTheMiddle ? sleepLong : whoami).catch(
        (error: unknown) => error,
      )
      if (!inTheMiddle) await interrupted
      await admin.query(`SELECT pg_terminate_backend($1, 5000)`, [first])
      if (inTheMiddle) expect(await interrupted).toMatchObject({ ambiguous: true })
      await until(() =>
        by(store).then(
          (now) => now !== first,
          () => false,
        ),
      )
      const second = await by(store)
      expect(await by(store)).toBe(second)
      await admin.end()
    },
  )

  test.each([
    ['has forgotten what it has read', 'DEALLOCATE ALL', '26000'],
    [
      'takes no writes any more',
      `SELECT set_config('default_transaction_read_only', 'on', false)`,
      '25006',
    ],
  ])('is replaced when it %s', async (_, sql, code) => {
    const { store } = await open(3)
    const write = {
      name: 'test_write',
      text: `INSERT INTO sallyport.replicas (replica, epoch, lease_until)
             VALUES (gen_random_uuid(), 1, clock_timestamp()) RETURNING pg_backend_pid()`,
    }
    const first = await by(store, write)
    await by(store, { name: 'test_spoil', text: sql })
    await expect(by(store, write)).rejects.toMatchObject({ code })
    const second = await by(store, write)
    expect(second).not.toBe(first)
    expect(await by(store, write)).toBe(second)
  })

  test('is not kept where there is only one, and keeps nobody from closing', async () => {
    const { store } = await open(1)
    await by(store)
    expect(await store.query('SELECT 1')).toHaveLength(1)
    const several = await open(2)
    await by(several.store)
    const last = by(several.store, sleep)
    await several.store.end()
    expect(await last).toMatch(/^\d+$/)
    await expect(by(several.store)).rejects.toMatchObject({ code: '08001' })
  })
})

describe.runIf(storeKinds.includes('postgres'))('a login of its own for the gateway', () => {
  const asAdmin = async (sql: string) => {
    const admin = new Client({ connectionString: inject('postgres')!.server })
    await admin.connect()
    try {
      await admin.query(sql)
    } finally {
      await admin.end()
    }
  }
  // Roles are the server's, which all files share.
  const newLogin = () => `login_${crypto.randomUUID().replaceAll('-', '')}`
  const loginAs = async (user: string) => {
    const url = new URL(await createTestDatabase())
    url.username = user
    return url
  }

  test('needs no more than the role of the gateway', async () => {
    const login = newLogin()
    await asAdmin(`CREATE ROLE ${login} LOGIN IN ROLE sallyport_gateway`)
    const store = await openPostgres((await loginAs(login)).href)
    atEnd(() => store.end())
    await expect(store.query('SET ROLE owner')).rejects.toMatchObject({ code: '42501' })
    expect(await store.query('SELECT count(*) FROM audit_events')).toEqual([{ count: 0 }])
  })

  test('is told what to do where the schema is not up to date', async () => {
    const login = newLogin()
    await asAdmin(`CREATE ROLE ${login} LOGIN`)
    const url = await loginAs(login)
    url.pathname = 'postgres'
    const opening = openPostgres(url.href)
    await expect(opening).rejects.toBeInstanceOf(MistakesError)
    await expect(opening).rejects.toThrow('sallyport migrate')
  })

  test('is told when there is no such user or server', async () => {
    const url = await loginAs('nobody_at_all')
    await expect(openPostgres(url.href)).rejects.toMatchObject({ code: '28000' })
    url.port = '1'
    await expect(openPostgres(url.href)).rejects.toMatchObject({ code: '08001', ambiguous: true })
  })
})
