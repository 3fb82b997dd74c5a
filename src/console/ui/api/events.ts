import { call } from './call.ts'
import type { AuditEvent, EventPage } from './types.ts'

const most = 1_000

/**
 * Every event of an action or approval, the first one first; of more than ten thousand the latest.
 * Throws `Failure`.
 */
export async function allEvents(of: 'action' | 'approval', id: string): Promise<AuditEvent[]> {
  const events: AuditEvent[] = []
  let cursor: string | null = null
  for (let page = 0; page < 10; page += 1) {
    const query: URLSearchParams = new URLSearchParams({ [of]: id, limit: String(most) })
    if (cursor !== null) query.set('cursor', cursor)
    const { body }: { body: EventPage } = await call<EventPage>(`/api/audit/events?${query}`)
    events.push(...body.events)
    cursor = body.cursor
    if (cursor === null) break
  }
  return events.toReversed()
}
