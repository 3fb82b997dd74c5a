import type { Queryable } from '../../store/db.ts'

/** The state of a delivery, over all replicas. */
export interface AuditDeliveryHealth {
  readonly name: string
  readonly to: string
  readonly format: string
  readonly personal: boolean
  /** The index of the next event to deliver. */
  readonly cursor: number
  /** How many signed events are not delivered. */
  readonly lag: number
  /**
   * Since when the first of them has been in the log; `null` when there is none, or that is not
   * known.
   */
  readonly waitingSince: Date | null
  /** Whether some replica has the turn. */
  readonly active: boolean
  /** Failures since the last success. */
  readonly failures: number
  /** When the failed batch is tried again. */
  readonly nextTry: Date | null
  readonly lastSuccess: Date | null
  readonly lastFailure: Date | null
  /** Text of the last failure, even if deliveries have succeeded since. */
  readonly lastError: string | null
}

type Row = Omit<AuditDeliveryHealth, 'to' | 'format' | 'personal'> & {
  readonly settings: Pick<AuditDeliveryHealth, 'to' | 'format' | 'personal'>
}

/** The state of the deliveries with these names, in that order. Rejects with a `StoreError`. */
export async function deliveryHealth(
  db: Queryable,
  names: readonly string[],
): Promise<AuditDeliveryHealth[]> {
  const rows = await db.query<Row>(
    `SELECT d.name, d.settings, d.cursor, greatest(signed.size - d.cursor, 0) AS lag,
            CASE WHEN signed.size > d.cursor THEN nullif(sallyport.audit_waits_since(d.cursor), '-infinity') END AS "waitingSince",
            coalesce(d.attempt_until > clock_timestamp(), false) AS active, d.failures,
            CASE WHEN d.failures > 0 THEN d.due_at END AS "nextTry",
            d.delivered_at AS "lastSuccess", d.failed_at AS "lastFailure", d.last_error AS "lastError"
       FROM unnest($1::text[]) WITH ORDINALITY AS wanted (name, place)
       JOIN sallyport.audit_deliveries d ON d.name = wanted.name
       CROSS JOIN (SELECT coalesce(max(size), 0) AS size FROM sallyport.audit_checkpoints) signed
      ORDER BY wanted.place`,
    [names],
  )
  return rows.map(({ settings, ...row }) => ({
    ...row,
    ...settings,
  }))
}
