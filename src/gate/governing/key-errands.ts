import type { Approval } from '../../approvals/approval.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Owner } from '../../core/subject.ts'
import type { KeyScope } from '../../identity/agent-key.ts'
import {
  endKey,
  insertKey,
  isNameUsed,
  tellRevoked,
  type KeyDesk,
  type NewKey,
} from '../../identity/api-key.ts'
import type { ErrandWork } from './errands.ts'

/** A key as people approve it. Only the hash of its secret is known. */
export function newKeyPayload(it: NewKey, hash: string): JsonObject {
  return {
    operation: 'key.create',
    name: it.name,
    kind: it.kind,
    groups: [...it.groups],
    scopes: [...it.scopes],
    owner: { ...it.owner },
    expires_at: it.expiresAt?.toISOString() ?? null,
    hash,
  }
}

interface Payload {
  readonly name: string
  readonly kind: NewKey['kind']
  readonly groups: readonly string[]
  readonly scopes: readonly KeyScope[]
  readonly owner: Owner
  readonly expires_at: string | null
  readonly hash: string
}

/** Creates approved keys. */
export function keyCreation({ recorder }: KeyDesk): ErrandWork {
  const asked = ({ payload }: Approval) => payload as unknown as Payload
  return {
    async obstacle({ tx }, approval) {
      const { name } = asked(approval)
      return (await isNameUsed(tx, name))
        ? `There is a key named ${name} by now, and no name is used twice.`
        : null
    },
    async run({ tx }, approval) {
      const { hash, expires_at, ...rest } = asked(approval)
      const key = { ...rest, expiresAt: expires_at === null ? null : new Date(expires_at) }
      const { subject } = approval.action
      const made = await insertKey(tx, recorder, subject, key, Buffer.from(hash, 'hex'))
      // Closed: this rolls everything back, and the next turn finds the obstacle.
      if (!made) throw new Error(`a key named ${key.name} was made meanwhile`)
      return () => {}
    },
  }
}

/** Revokes keys once that is approved. */
export function keyRevocation(desk: KeyDesk): ErrandWork {
  const id = ({ payload }: Approval) => (payload as { id: string }).id
  return {
    obstacle: async () => null,
    async run({ tx }, approval) {
      await endKey(tx, desk.recorder, approval.action.subject, id(approval))
      return () => void tellRevoked(desk, id(approval))
    },
  }
}
