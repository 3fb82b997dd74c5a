import { Client } from 'pg'
import type { Store } from '../../src/store/db.ts'
import { openPostgres } from '../../src/store/postgres.ts'
import { atEnd, createTestDatabase, openTestStore } from './store.ts'

/** Runs one statement of SQL, as somebody who is not the gateway. */
export type RunAs = (sql: string) => Promise<unknown>

export interface OwnedStore {
  readonly store: Store
  /** The owner of the tables. */
  readonly asOwner: RunAs
  /** The role that may erase personal data. */
  readonly asEraser: RunAs
}

/** A store of its own for one test, with the ways into it that the gateway does not have. */
export async function openOwnedStore(kind: Store['kind']): Promise<OwnedStore> {
  const becomeEraser = 'SET LOCAL ROLE sallyport_eraser'
  if (kind === 'postgres') {
    const url = await createTestDatabase()
    const owner = new Client({ connectionString: url })
    await owner.connect()
    atEnd(() => owner.end())
    const store = await openPostgres(url)
    atEnd(() => store.end())
    return {
      store,
      asOwner: (sql) => owner.query(sql),
      asEraser: (sql) => owner.query(`${becomeEraser}; ${sql}`),
    }
  }
  const store = await openTestStore(kind)
  const as = (role: string, sql: string) =>
    store.tx(async (tx) => {
      await tx.query(role)
      await tx.query(sql)
    })
  return {
    store,
    asOwner: (sql) => as('SET LOCAL ROLE postgres', sql),
    asEraser: (sql) => as(becomeEraser, sql),
  }
}

/** From here on the owner can change what is on record, as somebody with full rights in the database can. */
export async function withoutTriggers(asOwner: RunAs): Promise<void> {
  await asOwner(`
    DO $$ DECLARE t regclass; BEGIN
      FOR t IN SELECT 'sallyport.audit_events'::regclass UNION SELECT inhrelid FROM pg_inherits WHERE inhparent = 'sallyport.audit_events'::regclass LOOP
        EXECUTE format('ALTER TABLE %s DISABLE TRIGGER USER', t);
      END LOOP;
    END $$`)
}
