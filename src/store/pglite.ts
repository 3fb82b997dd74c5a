import { join } from 'node:path'
import { Client, Pool } from 'pg'
import type { Store } from './db.ts'
import { lockFolder } from './folder-lock.ts'
import { InProcessHints } from './in-process-hints.ts'
import { migrate } from './migrate.ts'
import { PgliteDatabase } from './pglite-database.ts'
import { PooledStore } from './pooled.ts'
import { columnTypes } from './types.ts'

/** In milliseconds; PGlite has no limits of its own to set. */
const patience = { connectionTimeoutMillis: 10_000, query_timeout: 30_000 }

const asOwner = { user: 'postgres', database: 'postgres' }

/** First undoes what the last user of the session may have left behind. */
const asGateway = `ROLLBACK; SET ROLE sallyport_gateway; SET search_path = sallyport, pg_temp`

/**
 * Opens PostgreSQL within this process, for trying Sallyport out. It does not wait for the disk
 * (`fsync` is off), so a crash of the machine, though not of the process, can lose what it has
 * acknowledged. Rejects with a `MistakesError` when another process uses the folder.
 */
export async function openEmbedded(data: string): Promise<Store> {
  const unlock = lockFolder(data)
  try {
    const database = await PgliteDatabase.open({ folder: join(data, 'store'), snapshot: null })
    return await openOver(database, unlock)
  } catch (error) {
    unlock()
    throw error
  }
}

/** Opens a store over an open database, which it closes at its own end. */
export async function openOver(database: PgliteDatabase, afterEnd: () => void): Promise<Store> {
  const config = { ...asOwner, types: columnTypes, stream: () => database.session() }
  try {
    await migrateAs(new Client(config))
  } catch (error) {
    await database.close()
    throw error
  }
  const pool = new Pool({
    ...config,
    ...patience,
    max: 1,
    idleTimeoutMillis: 0,
    // The pool awaits what this returns, whatever its type says.
    onConnect: (client): unknown => client.query(asGateway),
  })
  return new PooledStore('embedded', pool, new InProcessHints(), async () => {
    await database.close()
    afterEnd()
  })
}

async function migrateAs(owner: Client): Promise<void> {
  try {
    await owner.connect()
    await migrate(owner)
  } finally {
    await owner.end()
  }
}
