import type { AuditDeliveryConfig } from '../../config/schema.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Store } from '../../store/db.ts'
import type { AuditLog } from '../append.ts'
import type { Destination } from './destination.ts'
import { folderDestination } from './folder.ts'
import { objectDestination } from './object-storage.ts'
import { syslogDestination } from './syslog.ts'
import { webhookDestination } from './webhook.ts'

/** The one destination that a configuration names. */
export function destinationOf(config: AuditDeliveryConfig): Destination {
  const { folder, s3, webhook, syslog, format } = config
  if (folder !== undefined) return folderDestination(folder, format)
  if (s3) return objectDestination(s3, format)
  if (webhook) return webhookDestination(webhook, format)
  return syslogDestination(syslog!, format)
}

/** The settings of a delivery as they are registered and put on record, without secrets. */
export function settingsOf(
  { to, hash }: Destination,
  { format, personal }: Pick<AuditDeliveryConfig, 'format' | 'personal'>,
): JsonObject {
  return { to, ...(hash !== undefined && { hash }), format, personal }
}

/**
 * Registers a delivery. A new name begins, a known one goes on. Another place under a known name
 * gets everything from what the last one had not confirmed. Each new destination and each change of
 * one is on record, because it says who receives the log. Rejects with a `StoreError`, or with the
 * problem `store-unavailable`.
 */
export async function registerDelivery(
  {
    store,
    audit,
  }: { readonly store: Store; readonly audit: Pick<AuditLog, 'write' | 'linkWritten'> },
  name: string,
  destination: Destination,
  config: Pick<AuditDeliveryConfig, 'format' | 'personal' | 'from'>,
): Promise<void> {
  const settings = settingsOf(destination, config)
  await store.tx(async (tx) => {
    const changed = await tx.query<{ cursor: number }>(
      `INSERT INTO sallyport.audit_deliveries AS d (name, settings, cursor)
       SELECT $1, $2::jsonb, CASE WHEN $3 = 'now' THEN size ELSE 0 END FROM sallyport.audit_tree
       ON CONFLICT (name) DO UPDATE
          SET settings = excluded.settings, attempt = NULL, attempt_until = NULL, failures = 0,
              batch_end = CASE WHEN (d.settings -> 'to', d.settings -> 'hash')
                     IS NOT DISTINCT FROM (excluded.settings -> 'to', excluded.settings -> 'hash') THEN d.batch_end END
        WHERE d.settings <> excluded.settings
       RETURNING cursor`,
      [name, JSON.stringify(settings), config.from],
    )
    for (const { cursor } of changed)
      await audit.write(tx, {
        type: 'audit.delivery_configured',
        details: { name, ...settings, cursor },
      })
  })
  audit.linkWritten()
}
