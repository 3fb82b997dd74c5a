import type { Principal } from '../core/subject.ts'
import type { Store } from '../store/db.ts'
import { keyColumns, keyFromRow, subjectOfKey, type KeyRow } from './agent-key.ts'
import { keysChanged } from './api-key.ts'
import { credentialNames } from './credential-names.ts'
import { AtMost } from './at-most.ts'
import { isKey, keyHash } from './key-format.ts'
import { Recent } from './recent.ts'
import { Refusal } from './refusal.ts'

/**
 * Milliseconds for which an answer of the database is believed. Usually a notification ends it
 * earlier; if that gets lost, a revoked key still stops working within a second.
 */
const believed = 1_000
const capacity = 10_000

/**
 * Milliseconds for which a key counts as unknown. Less than a second, so that one created meanwhile
 * works within that.
 */
const disbelieved = 500

/**
 * The most questions to the database at a time. Anybody can make up keys, and must not keep others
 * from the database.
 */
const atATime = 4

export interface KeyLookup {
  /**
   * Finds who holds a key. Rejects with a `Refusal`. Closed: rejects with a `StoreError` when the
   * key cannot be looked up.
   */
  find(token: string): Principal | Promise<Principal>
  close(): Promise<void>
}

export async function createKeyLookup(store: Store): Promise<KeyLookup> {
  const found = new Recent<Principal | Refusal>(capacity)
  const underWay = new Map<string, Promise<Principal>>()
  const questions = new AtMost(atATime)
  // Counts the notifications. An answer that was under way when one came may be outdated, and is
  // not kept.
  let changes = 0
  const stop = await store.listen(keysChanged, () => {
    changes += 1
    found.clear()
  })

  async function lookUp(hash: Buffer, name: string): Promise<Principal> {
    const before = changes
    const asked = performance.now()
    try {
      const principal = await queryKey(store, hash)
      if (before === changes) found.set(name, principal, asked + believed)
      return principal
    } catch (error) {
      if (error instanceof Refusal && before === changes)
        found.set(name, error, asked + disbelieved)
      throw error
    }
  }

  return {
    find(token) {
      if (!isKey(token)) throw new Refusal('key-unknown')
      const hash = keyHash(token)
      const name = hash.toString('base64')
      const known = found.get(name, performance.now())
      if (known instanceof Refusal) throw known
      if (known) return known
      const asked =
        underWay.get(name) ??
        questions.run(() => lookUp(hash, name)).finally(() => underWay.delete(name))
      underWay.set(name, asked)
      return asked
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
