import type { Store } from '../store/db.ts'
import { asItIs } from './as-it-is.ts'
import type { EventRow, ExportedEvent } from './exported.ts'
import { searchEvents } from './search.ts'
import { unreadableOfRun, type UnreadableEvent } from './unreadable-of-run.ts'

/** One action of a run, and everything that is on record about it and its approval. */
export interface TracedAction {
  readonly id: string
  /**
   * The action of this run that called it, by its span; `null` where none of them did, as far as
   * anybody said.
   */
  readonly under: string | null
  /**
   * Somebody outside of the gateway who called it, by their span. Actions that share it belong
   * together.
   */
  readonly caller: string | null
  /** The oldest first. */
  readonly events: readonly ExportedEvent[]
}

/** A run of an agent: what shares a trace (W3C Trace Context). */
export interface TraceStory {
  readonly trace: string
  /** `false`: it has more events than are read. */
  readonly complete: boolean
  /** In the order in which they began; what was called by another comes behind it. */
  readonly actions: readonly TracedAction[]
  /** Events of it, or of its time, that nobody can read any more. */
  readonly unreadable: readonly UnreadableEvent[]
}

const most = 1_000

/**
 * Everything of a run. Without actions where none is on record. Rejects with the problem
 * `bad-request` when there is too much to look through.
 */
export async function readTrace(store: Store, trace: string): Promise<TraceStory> {
  const { events: traced, cursor } = await searchEvents(store, { trace }, null, most)
  const events = [...traced, ...(await withoutTrace(store, traced))]
  const byAction = new Map<string, ExportedEvent[]>()
  for (const event of events.toSorted((a, b) => (a.id < b.id ? -1 : 1))) {
    const { action } = event as { action?: { id: string } }
    if (!action) continue
    const known = byAction.get(action.id)
    if (known) known.push(event)
    else byAction.set(action.id, [event])
  }
  const unreadable = await unreadableOfRun(store, trace, events)
  return { trace, complete: cursor === null, actions: inOrder(placed(byAction)), unreadable }
}

/** Votes, and whatever else people did about an action, are in no trace of the agent's. */
async function withoutTrace(
  store: Store,
  traced: readonly ExportedEvent[],
): Promise<ExportedEvent[]> {
  const of = (name: 'action' | 'approval') => [
    ...new Set(
      traced.flatMap((event) => {
        const { action, approval } = event as { action?: { id: string }; approval?: string }
        return (name === 'action' ? action?.id : approval) ?? []
      }),
    ),
  ]
  const rows = await store.query<EventRow>(
    `SELECT e.id, e.body, e.salt, e.personal, e.replica, e.epoch, e.n, e.prev, e.hash
       FROM sallyport.audit_log e
      WHERE e.id IN (SELECT id FROM sallyport.audit_events WHERE action = ANY ($1::uuid[])
                     UNION SELECT id FROM sallyport.audit_events WHERE approval = ANY ($2::uuid[]) AND action IS NOT NULL)
        AND e.id <> ALL ($3::uuid[])
      ORDER BY e.id DESC
      LIMIT $4`,
    [of('action'), of('approval'), traced.map(({ id }) => id), most],
  )
  return rows.map(asItIs)
}

interface SpanOf {
  readonly id?: string
  readonly parent?: string
}

/** Whose span each action was called from. */
function placed(byAction: ReadonlyMap<string, readonly ExportedEvent[]>): TracedAction[] {
  const spanOf = (events: readonly ExportedEvent[]) =>
    events.map((event) => event['span'] as SpanOf | undefined).find((span) => span) ?? {}
  const owners = new Map<string, string>()
  for (const [action, events] of byAction) {
    const { id } = spanOf(events)
    if (id !== undefined) owners.set(id, action)
  }
  return [...byAction].map(([id, events]) => {
    const { parent } = spanOf(events)
    const owner = parent === undefined ? undefined : owners.get(parent)
    const under = owner === undefined || owner === id ? null : owner
    return { id, under, caller: under === null ? (parent ?? null) : null, events }
  })
}

/**
 * What was called comes behind its caller. Spans that claim to call each other are taken as they
 * come.
 */
function inOrder(actions: readonly TracedAction[]): TracedAction[] {
  const children = Map.groupBy(actions, ({ under }) => under)
  const ordered = new Set<TracedAction>()
  const add = (action: TracedAction): void => {
    if (ordered.has(action)) return
    ordered.add(action)
    children.get(action.id)?.forEach(add)
  }
  children.get(null)?.forEach(add)
  const circular = actions.filter((action) => !ordered.has(action))
  return [...ordered, ...circular.map((action) => ({ ...action, under: null }))]
}
