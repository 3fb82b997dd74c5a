import { Client, Pool, type ClientConfig } from 'pg'
import { MistakesError } from '../core/errors.ts'
import type { Store, StoreError } from './db.ts'
import { refuseUnsafeCommits } from './durability.ts'
import { Listener } from './listener.ts'
import { migrate } from './migrate.ts'
import { PooledStore } from './pooled.ts'
import { toStoreError } from './session.ts'
import { columnTypes } from './types.ts'

/**
 * In milliseconds. Nothing waits for ever: not for a connection, a lock, an answer, or the next
 * statement of a transaction.
 */
const patience = {
  connectionTimeoutMillis: 3_000,
  lock_timeout: 5_000,
  statement_timeout: 10_000,
  // Longer than the server's own limit, so that this one only matters if the server has gone.
  query_timeout: 12_000,
  idle_in_transaction_session_timeout: 15_000,
}

/**
 * How values are read and written, and how transactions see each other, whatever the configuration
 * of the server, the database and the user says: in another style of dates every time would be lost,
 * and with fewer digits the clock would jump.
 */
const asExpected = [
  ...['DateStyle=ISO', 'TimeZone=UTC', 'bytea_output=hex', 'extra_float_digits=1'],
  ...['standard_conforming_strings=on', 'array_nulls=on', 'transform_null_equals=off'],
  'default_transaction_isolation=read\\ committed',
]
  .map((setting) => `-c ${setting}`)
  .join(' ')

/**
 * The role is the session's default, to which RESET ROLE returns. `pg_temp` comes last, so that
 * nothing temporary shadows a table. No JIT, because compiling a short statement takes far longer
 * than running it.
 */
const asGateway = `-c role=sallyport_gateway -c search_path=sallyport,pg_temp -c jit=off ${asExpected}`

/**
 * Opens a store on PostgreSQL 15 or later. Brings the schema up to date first, as the user of the
 * URL. `sessions`: how many the pool may have.
 */
export async function openPostgres(url: string, sessions = 10): Promise<Store> {
  const { connectionString, options } = takeOptions(url)
  const config: ClientConfig = {
    connectionString,
    application_name: 'sallyport',
    // Notices a connection whose other end has silently vanished, even if it only listens.
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    types: columnTypes,
  }
  await migrateAsOwner(config)
  const gateway = { ...config, ...patience, options: `${options} ${asGateway}` }
  const pool = new Pool({ ...gateway, max: sessions })
  const store = new PooledStore('postgres', pool, new Listener(gateway, pool))
  try {
    await refuseUnsafeCommits(store)
    return store
  } catch (error) {
    await store.end()
    throw error
  }
}

/** Takes `options` out of a URL, which would otherwise replace ours, and with them the role. */
function takeOptions(url: string): { connectionString: string; options: string } {
  const parsed = new URL(url)
  const options = parsed.searchParams.get('options') ?? ''
  parsed.searchParams.delete('options')
  return { connectionString: parsed.href, options }
}

async function migrateAsOwner(config: ClientConfig): Promise<void> {
  const waiting = { connectionTimeoutMillis: 3_000, lock_timeout: 60_000 }
  const owner = new Client({ ...config, ...waiting, options: asExpected })
  owner.on('error', () => {})
  try {
    await owner.connect()
    await migrate(owner)
  } catch (error) {
    throw error instanceof MistakesError ? error : explained(toStoreError(error, '08001'))
  } finally {
    await owner.end()
  }
}

function explained(error: StoreError): Error {
  const insufficientPrivilege = '42501'
  if (error.code !== insufficientPrivilege) return error
  return new MistakesError([
    {
      file: 'store.url',
      message: `this user may not bring the schema up to date: ${error.message}`,
      remedy:
        'Run `sallyport migrate` as a user with CREATEROLE, and CREATE on the database; docs/audit.md has the roles.',
    },
  ])
}
