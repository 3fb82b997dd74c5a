import { Problem } from '../core/errors.ts'
import { StoreError, type Queryable } from '../store/db.ts'
import { firstIdAt } from './event-id.ts'
import { toExported, type EventRow, type ExportedEvent } from './exported.ts'

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

/** Each condition, on events `e`, by its filter. */
const conditions: {
  readonly [Name in keyof Required<EventFilter>]: (place: string, value: unknown) => string
} = {
  q: (place) =>
    `position(lower(${place}) IN lower(convert_from(e.body, 'UTF8') || coalesce(convert_from(e.personal, 'UTF8'), ''))) > 0`,
  // By what the index has, and by all of it.
  subject: (place) => `left(e.subject, 200) = left(${place}, 200) AND e.subject = ${place}`,
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
  // An id begins with its event's time.
  from: (place) => `e.id >= ${place}::uuid`,
  to: (place) => `e.id < ${place}::uuid`,
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
    .map(([name, value]) => conditions[name as keyof EventFilter](place(asParameter(value)), value))
  if (cursor !== null) where.push(`e.id < ${place(readCursor(cursor))}::uuid`)
  const rows = await store
    .query<EventRow>(
      `SELECT e.id, e.body, e.salt, e.personal, e.replica, e.epoch, e.n, e.prev, e.hash
       FROM sallyport.audit_log e
       ${where.length > 0 ? `WHERE ${where.join(' AND ')}` : ''}
       ORDER BY e.id DESC
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

function asParameter(value: unknown): unknown {
  return value instanceof Date ? firstIdAt(value) : value
}

function writeCursor({ id }: { id: string }): string {
  return Buffer.from(id).toString('base64url')
}

function readCursor(cursor: string): string {
  const id = Buffer.from(cursor, 'base64url').toString()
  if (!uuid.test(id)) {
    throw new Problem('bad-request', 'This cursor is not one that a search here gave out.')
  }
  return id
}

/** What went wrong with a search, for whoever asked. */
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
