import { gatewayItself } from '../core/gateway-itself.ts'
import type { Queryable } from '../store/db.ts'

/** Approved changes to the gateway itself that have not been made yet. */
export async function listApprovedErrands(db: Queryable, limit: number): Promise<string[]> {
  const rows = await db.query<{ id: string }>(
    `SELECT id FROM sallyport.approvals
      WHERE state = 'approved' AND resource = $1 ORDER BY id LIMIT $2`,
    [gatewayItself, limit],
  )
  return rows.map(({ id }) => id)
}
