import type { KeyObject } from 'node:crypto'
import type { Queryable } from '../../store/db.ts'
import { signCheckpoint, verifierKey } from './checkpoint.ts'
import type { Tree } from './sequence.ts'

/** A stored checkpoint, with the time of its last signature. */
export interface KeptCheckpoint {
  readonly size: number
  readonly note: string
  readonly signedAt: Date
}

/**
 * Signs the root of a durable tree, and stores the note. The database refuses another root for the
 * same size, so that such a signature never leaves the process. Rejects with a `StoreError` then.
 */
export async function keepCheckpoint(
  store: Queryable,
  { origin, size, root }: Tree,
  keys: readonly KeyObject[],
): Promise<KeptCheckpoint> {
  const [clock] = await store.query<{ now: Date }>('SELECT clock_timestamp() AS now')
  const note = signCheckpoint({ origin, size, root, time: clock!.now }, keys)
  await store.query(
    `INSERT INTO sallyport.audit_checkpoints AS c (size, root, note, signed_at)
     VALUES ($1, $2, $3, $4)
     ON CONFLICT (size) DO UPDATE SET root = excluded.root, note = excluded.note, signed_at = excluded.signed_at
       WHERE c.signed_at < excluded.signed_at`,
    [size, root, note, clock!.now],
  )
  return { size, note, signedAt: clock!.now }
}

/** The newest checkpoint, or the one over exactly `size` leaves; `null` where there is none. */
export async function readCheckpoint(
  store: Queryable,
  size: number | null = null,
): Promise<KeptCheckpoint | null> {
  const [kept] = await store.query<KeptCheckpoint>(
    `SELECT size, note, signed_at AS "signedAt" FROM sallyport.audit_checkpoints
     WHERE $1::bigint IS NULL OR size = $1
     ORDER BY size DESC LIMIT 1`,
    [size],
  )
  return kept ?? null
}

/** Notes which key signs from now on. Resolves to its verifier key if it is new. */
export async function keepSigningKey(
  store: Queryable,
  origin: string,
  publicKey: KeyObject,
): Promise<string | null> {
  const [kept] = await store.query<{ key: string }>(
    `INSERT INTO sallyport.audit_signing_keys (key) VALUES ($1)
     ON CONFLICT DO NOTHING RETURNING key`,
    [verifierKey(origin, publicKey)],
  )
  return kept?.key ?? null
}

/** The verifier keys of all signatures of this log, oldest first. */
export async function listSigningKeys(store: Queryable): Promise<string[]> {
  const rows = await store.query<{ key: string }>(
    'SELECT key FROM sallyport.audit_signing_keys ORDER BY used_from, key',
  )
  return rows.map(({ key }) => key)
}
