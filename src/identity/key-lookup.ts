import type { Principal } from '../core/subject.ts'
import type { Store } from '../store/db.ts'
import { keyColumns, keyFromRow, subjectOfKey, type KeyRow } from './agent-key.ts'
import { keysChanged } from './api-key.ts'
import { credentialNames } from './credential-names.ts'
import { isKey, keyHash } from './key-format.ts'
import { Recent } from './recent.ts'
import { Refusal } from './refusal.ts'

/**
 * Milliseconds that the answer of the database is believed. A notification ends it earlier; this is for when that gets lost, so that a
 * revoked key is worth nothing a second later, whatever happens.
 */
const believed = 1_000
const capacity = 10_000

export interface KeyLookup {
  /** Rejects with a `Refusal`, or with `StoreError`: a key that cannot be looked up opens nothing. */
  find(token: string): Principal | Promise<Principal>
  close(): Promise<void>
}

export async function createKeyLookup(store: Store): Promise<KeyLookup> {
  const found = new Recent<Principal>(capacity)
  // Counts the notifications: an answer that was under way when one came may be from before the change, and is not kept.
  let changes = 0
  const stop = await store.listen(keysChanged, () => {
    changes += 1
    found.clear()
  })

  async function lookUp(hash: Buffer): Promise<Principal> {
    const before = changes
    const asked = performance.now()
    const principal = await queryKey(store, hash)
    if (before === changes) found.set(hash.toString('base64'), principal, asked + believed)
    return principal
  }

  return {
    find(token) {
      if (!isKey(token)) throw new Refusal('key-unknown')
      const hash = keyHash(token)
      return found.get(hash.toString('base64'), performance.now()) ?? lookUp(hash)
    },
    close: stop,
  }
}

interface LiveKeyRow extends KeyRow {
  expired: boolean
}

async function queryKey(store: Store, hash: Buffer): Promise<Principal> {
  const [row] = await store.query<LiveKeyRow>(
    `WITH used AS (
       UPDATE sallyport.agent_keys SET last_used_at = clock_timestamp()
        WHERE hash = $1 AND revoked_at IS NULL
          AND (last_used_at IS NULL OR last_used_at < clock_timestamp() - interval '1 minute'))
     SELECT ${keyColumns}, coalesce(expires_at <= clock_timestamp(), false) AS expired
       FROM sallyport.agent_keys WHERE hash = $1`,
    [hash],
  )
  if (!row) throw new Refusal('key-unknown')
  const subject = subjectOfKey(keyFromRow(row))
  if (row.revoked_at) throw new Refusal('key-revoked', { subject })
  if (row.expired) throw new Refusal('key-expired', { subject })
  const expiresAt = row.expires_at?.getTime() ?? null
  const names = credentialNames(subject)
  return { subject, credential: { kind: 'agent-key', id: row.id, expiresAt, names } }
}
