import type { Config } from '../config/schema.ts'
import type { Store } from './db.ts'
import { openEmbedded } from './pglite.ts'
import { openPostgres } from './postgres.ts'

/**
 * Opens the configured store, and brings its schema up to date. Rejects with a `MistakesError` when
 * it is unsafe or in use, and with a `StoreError` when it does not answer.
 */
export function openStore({ store, data }: Pick<Config, 'store' | 'data'>): Promise<Store> {
  return store ? openPostgres(store.url) : openEmbedded(data)
}
