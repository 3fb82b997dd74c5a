import type { Indexes } from '../../core/event.ts'
import type { Queryable } from '../../store/db.ts'

/**
 * Which of these deliveries have not delivered all of this part of the log. Once it has left the
 * database, they could only deliver hashes of it.
 */
export async function undelivered(
  db: Queryable,
  indexes: readonly Indexes[],
  deliveries: readonly string[],
): Promise<string[]> {
  const end = Math.max(0, ...indexes.map((range) => range.end))
  const rows = await db.query<{ name: string }>(
    // Closed: nobody knows where a delivery that has not begun will begin.
    `SELECT name FROM unnest($1::text[]) name LEFT JOIN sallyport.audit_deliveries USING (name)
     WHERE cursor IS NULL OR cursor < $2 ORDER BY name`,
    [deliveries, end],
  )
  return rows.map(({ name }) => name)
}
