import { Problem } from '../core/errors.ts'
import { StoreError, type Queryable } from '../store/db.ts'
import { eventColumns, toExported, type EventRow, type ExportedEvent } from './exported.ts'

/** What an event has to be. All that is given has to be true. */
export interface EventFilter {
  /** Words that occur in the event, in any case, as its JSON has them. */
  readonly q?: string
  /** The name that its issuer gives the subject. */
  readonly subject?: string
  readonly resource?: string
  /** Id or name of the action. */
  readonly action?: string
  readonly decision?: string
  /** `false`: what would have been denied or held, and ran, because its resource is only observed. */
  readonly enforced?: boolean
  readonly reason?: string
  readonly type?: string
  /** Id of the approval. */
  readonly approval?: string
  /** At or after. */
  readonly from?: Date
  /** Before. */
  readonly to?: Date
}

export interface EventPage {
  readonly events: readonly ExportedEvent[]
  /** For the page after this one; `null` when this is the last one. */
  readonly cursor: string | null
}

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i

/** Each condition, on events `e` and their personal parts `p`, by its filter. */
const conditions: {
  readonly [Name in keyof Required<EventFilter>]: (place: string, value: unknown) => string
} = {
  q: (place) =>
    `position(lower(${place}) IN lower(convert_from(e.body, 'UTF8') || coalesce(convert_from(p.body, 'UTF8'), ''))) > 0`,
  subject: (place) => `p.subject = ${place}`,
  resource: (place) => `e.resource = ${place}`,
  action: (place, value) =>
    uuid.test(String(value))
      ? `e.action = ${place}`
      : `convert_from(e.body, 'UTF8')::jsonb #>> '{action,name}' = ${place}`,
  decision: (place) => `e.decision = ${place}`,
  // Only what is denied or held can have gone unenforced, and for those there is an index.
  enforced: (place) =>
    `e.decision IN ('deny', 'hold') AND coalesce(convert_from(e.body, 'UTF8')::jsonb -> 'enforced', 'true') = to_jsonb(${place}::boolean)`,
  reason: (place) => `e.reason = ${place}`,
  type: (place) => `e.type = ${place}`,
  approval: (place) => `e.approval = ${place}`,
  from: (place) => `e.time >= ${place}`,
  to: (place) => `e.time < ${place}`,
}

/**
 * Events that match, the newest first, up to `limit` of them. Rejects with the problem `bad-request` for a cursor that is not ours, and for a search
 * that looks through too much.
 */
export async function searchEvents(
  store: Queryable,
  filter: EventFilter,
  cursor: string | null = null,
  limit = 100,
): Promise<EventPage> {
  const params: unknown[] = []
  const place = (value: unknown) => `$${params.push(value)}`
  const where = Object.entries(filter)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => conditions[name as keyof EventFilter](place(value), value))
  if (cursor !== null) {
    const { time, id } = readCursor(cursor)
    where.push(`(e.time, e.id) < (${place(time)}::timestamptz, ${place(id)}::uuid)`)
  }
  const rows = await store
    .query<EventRow & { time: Date }>(
      `SELECT e.id, e.time, ${eventColumns}
       FROM sallyport.audit_events e
       LEFT JOIN sallyport.audit_personal p ON p.event = e.id
       LEFT JOIN sallyport.audit_links l ON l.event = e.id
       ${where.length > 0 ? `WHERE ${where.join(' AND ')}` : ''}
       ORDER BY e.time DESC, e.id DESC
       LIMIT ${place(limit)}`,
      params,
    )
    .catch((error: unknown) => {
      throw asProblem(error)
    })
  const last = rows.at(-1)
  return {
    events: rows.map(toExported),
    cursor: last && rows.length === limit ? writeCursor(last) : null,
  }
}

function writeCursor({ time, id }: { time: Date; id: string }): string {
  return Buffer.from(`${time.toISOString()} ${id}`).toString('base64url')
}

function readCursor(cursor: string): { time: string; id: string } {
  const [time = '', id = ''] = Buffer.from(cursor, 'base64url').toString().split(' ')
  if (Number.isNaN(Date.parse(time)) || !uuid.test(id)) {
    throw new Problem('bad-request', 'This cursor is not one that a search here gave out.')
  }
  return { time, id }
}

/** For reads that auditors ask for: what the database would not look for, as a problem that says so. */
export function asProblem(error: unknown): unknown {
  if (!(error instanceof StoreError)) return error
  const cancelled = '57014'
  if (error.code === cancelled) {
    const detail = 'This looks through too much. Narrow it down: by time, resource or subject.'
    return new Problem('bad-request', detail, {}, { cause: error })
  }
  // Class 22: a value that no event can have, such as text with NUL in it.
  if (!error.code.startsWith('22')) return error
  return new Problem(
    'bad-request',
    `This cannot be searched for: ${error.message}`,
    {},
    { cause: error },
  )
}
