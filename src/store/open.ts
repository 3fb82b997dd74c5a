import type { Config } from '../config/schema.ts'
import type { Store } from './db.ts'
import { openEmbedded } from './pglite.ts'
import { openPostgres } from './postgres.ts'

/**
 * The configured store, its schema up to date. Rejects with `MistakesError` when it cannot be
 * relied on or is in use, and with `StoreError` when it does not answer.
 */
export function openStore({ store, data }: Pick<Config, 'store' | 'data'>): Promise<Store> {
  return store ? openPostgres(store.url) : openEmbedded(data)
}
