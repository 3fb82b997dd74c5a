import { randomUUID } from 'node:crypto'
import { Problem } from '../core/errors.ts'
import type { EventInput } from '../core/event.ts'
import type { Person } from '../core/person.ts'
import type { Owner, Subject } from '../core/subject.ts'
import type { Queryable, Store } from '../store/db.ts'
import type { Log } from '../telemetry/log.ts'
import { keyColumns, keyFromRow, type AgentKey, type KeyRow, type KeyScope } from './agent-key.ts'
import { keyHash, newKey } from './key-format.ts'
import { subjectOfPerson } from './people.ts'
import type { Recorder } from './recorder.ts'

/** Notifications on this channel say that some key has changed. */
export const keysChanged = 'sallyport_keys'

export interface KeyDesk {
  readonly store: Store
  readonly recorder: Recorder
  readonly log: Log
}

export interface NewKey {
  /** Lower-case letters, digits and dashes; never used before. */
  readonly name: string
  readonly kind: 'agent' | 'service'
  readonly groups: readonly string[]
  readonly scopes: readonly KeyScope[]
  readonly owner: Owner
  readonly expiresAt: Date | null
}

/**
 * Creates a key and its audit event, or neither. `token` is the key itself. It is stored nowhere,
 * so it can be shown now and never again. Rejects with `bad-request` when the name has been used
 * before.
 */
export async function createKey(
  { store, recorder }: KeyDesk,
  by: Person,
  it: NewKey,
): Promise<{ key: AgentKey; token: string }> {
  const token = newKey()
  const key = await store.tx((tx) =>
    insertKey(tx, recorder, subjectOfPerson(by), it, keyHash(token)),
  )
  if (!key) throw nameUsed(it.name)
  recorder.linkWritten()
  return { key, token }
}

/**
 * Drafts a key that is created once people approve it. Until then `token` opens nothing, and it
 * cannot be derived from `hash`. Rejects like `createKey`.
 */
export async function draftKey(
  { store }: KeyDesk,
  { name }: NewKey,
): Promise<{ token: string; hash: string }> {
  if (await isNameUsed(store, name)) throw nameUsed(name)
  const token = newKey()
  return { token, hash: keyHash(token).toString('hex') }
}

export async function isNameUsed(db: Queryable, name: string): Promise<boolean> {
  const rows = await db.query('SELECT FROM sallyport.agent_keys WHERE name = $1', [name])
  return rows.length > 0
}

function nameUsed(name: string): Problem {
  return new Problem(
    'bad-request',
    `There is, or was, a key named ${name}. Take another name, so that the audit log never means two keys by one name.`,
  )
}

/**
 * Writes the key of this hash, and its audit event. Resolves to `null`, having written nothing,
 * when the name has been used before.
 */
export async function insertKey(
  tx: Queryable,
  recorder: Pick<Recorder, 'write'>,
  by: Subject,
  { name, kind, groups, scopes, owner, expiresAt }: NewKey,
  hash: Buffer,
): Promise<AgentKey | null> {
  const party = 'issuer' in owner ? owner : null
  const group = 'group' in owner ? owner.group : null
  const [row] = await tx.query<KeyRow>(
    `INSERT INTO sallyport.agent_keys
       (id, hash, name, kind, groups, scopes, owner_issuer, owner_subject, owner_group,
        created_by_issuer, created_by_subject, expires_at)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
     ON CONFLICT (name) DO NOTHING
     RETURNING ${keyColumns}`,
    [
      randomUUID(),
      hash,
      name,
      kind,
      groups,
      scopes,
      party?.issuer ?? null,
      party?.subject ?? null,
      group,
      by.issuer,
      by.subject,
      expiresAt,
    ],
  )
  if (!row) return null
  const key = keyFromRow(row)
  await recorder.write(tx, keyEvent('identity.key_created', by, key))
  return key
}

/** All keys, newest first, including revoked ones. */
export async function listKeys(store: Store): Promise<AgentKey[]> {
  const rows = await store.query<KeyRow>(
    `SELECT ${keyColumns} FROM sallyport.agent_keys ORDER BY created_at DESC, id`,
  )
  return rows.map(keyFromRow)
}

/**
 * Revokes a key: here at once, on every replica within a second. Revoking it again changes nothing.
 * Rejects with `not-found`.
 */
export async function revokeKey(desk: KeyDesk, by: Person, id: string): Promise<AgentKey> {
  const key = await desk.store.tx((tx) => endKey(tx, desk.recorder, subjectOfPerson(by), id))
  if (!key) throw new Problem('not-found', `There is no key ${id}.`)
  desk.recorder.linkWritten()
  await tellRevoked(desk, id)
  return key
}

/**
 * Ends a key, with an audit event unless it had ended before. Resolves to `null` when there is no
 * such key.
 */
export async function endKey(
  tx: Queryable,
  recorder: Pick<Recorder, 'write'>,
  by: Subject,
  id: string,
): Promise<AgentKey | null> {
  const [revoked] = await tx.query<KeyRow>(
    `UPDATE sallyport.agent_keys
          SET revoked_at = clock_timestamp(), revoked_by_issuer = $2, revoked_by_subject = $3
        WHERE id = $1 AND revoked_at IS NULL
        RETURNING ${keyColumns}`,
    [id, by.issuer, by.subject],
  )
  if (revoked) {
    await recorder.write(tx, keyEvent('identity.key_revoked', by, keyFromRow(revoked)))
    return keyFromRow(revoked)
  }
  const [row] = await tx.query<KeyRow>(
    `SELECT ${keyColumns} FROM sallyport.agent_keys WHERE id = $1`,
    [id],
  )
  return row ? keyFromRow(row) : null
}

/**
 * Tells other replicas, after the commit. Never rejects, because replicas remember a key for a
 * second at most anyway.
 */
export async function tellRevoked(
  { store, log }: Pick<KeyDesk, 'store' | 'log'>,
  id: string,
): Promise<void> {
  try {
    await store.notify(keysChanged, id)
  } catch (error) {
    log.warn({ err: error }, 'the news of a revoked key could not be sent')
  }
}

function keyEvent(
  type: 'identity.key_created' | 'identity.key_revoked',
  by: Subject,
  { id, name, kind, groups, scopes, owner, expiresAt }: AgentKey,
): EventInput {
  return {
    type,
    subject: by,
    details: {
      key: id,
      name,
      kind,
      groups,
      scopes,
      owner: { ...owner },
      expires_at: expiresAt?.toISOString() ?? null,
    },
  }
}
