import type { Owner, Party, Subject } from '../core/subject.ts'

/**
 * The issuer of subjects that agent keys stand for. It is no URL, so it can never be the issuer of
 * a token.
 */
export const keyIssuer = 'sallyport:keys'

/** What a key may read at the control plane. Keys never vote, and change nothing. */
export const keyScopes = ['approvals:read', 'audit:read', 'policies:evaluate'] as const
export type KeyScope = (typeof keyScopes)[number]

/** The record of one key: everything but its secret. */
export interface AgentKey {
  readonly id: string
  readonly name: string
  readonly kind: 'agent' | 'service'
  readonly groups: readonly string[]
  readonly scopes: readonly KeyScope[]
  readonly owner: Owner
  readonly createdBy: Party
  readonly createdAt: Date
  readonly expiresAt: Date | null
  readonly revokedAt: Date | null
  readonly revokedBy: Party | null
  /** To the minute. */
  readonly lastUsedAt: Date | null
}

/**
 * The subject of a key: its name, which is never used again. Whoever made the key could use it, so
 * they stand behind it.
 */
export function subjectOfKey({ name, kind, groups, scopes, owner, createdBy }: AgentKey): Subject {
  return {
    issuer: keyIssuer,
    subject: name,
    kind,
    groups,
    owner,
    chain: [],
    related: [createdBy],
    claims: { scopes },
  }
}

/** A row of sallyport.agent_keys, by the columns below. */
export interface KeyRow {
  id: string
  name: string
  kind: 'agent' | 'service'
  groups: string[]
  scopes: KeyScope[]
  owner_issuer: string | null
  owner_subject: string | null
  owner_group: string | null
  created_by_issuer: string
  created_by_subject: string
  created_at: Date
  expires_at: Date | null
  revoked_at: Date | null
  revoked_by_issuer: string | null
  revoked_by_subject: string | null
  last_used_at: Date | null
}

export const keyColumns = `id, name, kind, groups, scopes, owner_issuer, owner_subject, owner_group,
  created_by_issuer, created_by_subject, created_at, expires_at, revoked_at, revoked_by_issuer, revoked_by_subject, last_used_at`

export function keyFromRow(row: KeyRow): AgentKey {
  return {
    id: row.id,
    name: row.name,
    kind: row.kind,
    groups: row.groups,
    scopes: row.scopes,
    owner:
      row.owner_group === null
        ? { issuer: row.owner_issuer!, subject: row.owner_subject! }
        : { group: row.owner_group },
    createdBy: { issuer: row.created_by_issuer, subject: row.created_by_subject },
    createdAt: row.created_at,
    expiresAt: row.expires_at,
    revokedAt: row.revoked_at,
    revokedBy: row.revoked_at
      ? { issuer: row.revoked_by_issuer!, subject: row.revoked_by_subject! }
      : null,
    lastUsedAt: row.last_used_at,
  }
}
