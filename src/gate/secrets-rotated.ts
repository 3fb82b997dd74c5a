import type { AuditLog } from '../audit/append.ts'
import { keyId, type Keyring } from '../config/keyring.ts'
import type { Queryable } from '../store/db.ts'

/** Puts new keys on record, by the first gateway that starts with them. Who made them cannot be known: whoever may write the secrets file. */
export async function recordRotation(
  { store, audit }: { store: Queryable; audit: AuditLog },
  keyrings: Readonly<Record<string, Keyring>>,
): Promise<void> {
  const [row] = await store.query<{ last: Date | null }>(
    `SELECT max(time) AS last FROM sallyport.audit_events WHERE type = 'gateway.started'`,
  )
  const last = row!.last?.getTime() ?? 0
  const fresh = Object.entries(keyrings).flatMap(([purpose, { all }]) =>
    all
      .filter(({ madeAt }) => madeAt.getTime() > last)
      .map(({ key, madeAt }) => ({ purpose, key: keyId(key), made_at: madeAt.toISOString() })),
  )
  if (fresh.length > 0) await audit.append({ type: 'secrets.rotated', details: { keys: fresh } })
}
