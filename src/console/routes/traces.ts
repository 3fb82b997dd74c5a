import { z } from 'zod'
import { isBehind } from '../../approvals/exclusion.ts'
import { getApproval } from '../../approvals/store.ts'
import { readTrace, type TracedAction, type TraceStory } from '../../audit/trace.ts'
import { Problem } from '../../core/errors.ts'
import type { Subject } from '../../core/subject.ts'
import { AtMost } from '../../identity/at-most.ts'
import type { Store } from '../../store/db.ts'
import type { Caller } from '../caller.ts'
import type { ControlServer } from '../context.ts'
import { maySee } from './approvals.ts'

const params = z.object({
  trace: z
    .string()
    .regex(/^[0-9a-f]{32}$/, 'A trace id is 32 hex digits, in lower case.')
    .describe('W3C trace id'),
})

const story = z.object({
  trace: z.string(),
  complete: z.boolean().describe('`false`: there are more events than these'),
  hidden: z.number().int().describe('actions of this run that are not for you to see'),
  actions: z.array(
    z.object({
      id: z.uuid(),
      under: z.uuid().nullable().describe('the action of this run that called it, by its span'),
      caller: z.string().nullable().describe('span of whoever else called it'),
      events: z.array(z.looseObject({ id: z.string() })),
    }),
  ),
  unreadable: z
    .array(z.object({ id: z.uuid(), action: z.uuid().nullable() }))
    .describe(
      'for auditors: events of this run, or of its time, in whose place somebody put something else',
    ),
})

/** Limited, so that these reads leave sessions of the database to decisions. */
const readsAtOnce = 2

/**
 * An agent's run, from its first call to its last. Auditors see all of it; everybody else only what
 * concerns them.
 */
export async function traceRoutes(app: ControlServer, { store }: { store: Store }): Promise<void> {
  const reads = new AtMost(readsAtOnce)

  app.get(
    '/api/audit/traces/:trace',
    {
      config: { access: 'person' },
      schema: {
        summary: 'Everything on record about one run of an agent, action by action',
        params,
        response: { 200: story },
      },
    },
    async ({ params: { trace }, caller }) => {
      const [whole, shown] = await reads.run(async () => {
        const read = await readTrace(store, trace)
        return [read, await visible(store, read, caller)] as const
      })
      const unreadable = isAuditor(caller) ? [...whole.unreadable] : []
      if (shown.length === 0 && unreadable.length === 0) {
        throw new Problem(
          'not-found',
          `Nothing is on record of the run ${trace}, or it is not for you.`,
        )
      }
      const hidden = whole.actions.length - shown.length
      return {
        ...whole,
        hidden,
        unreadable,
        actions: shown.map((one) => ({ ...one, events: [...one.events] })),
      }
    },
  )
}

/**
 * Auditors can read the whole log. Others see the actions whose approvals they may see, and what
 * they or their agents did.
 */
async function visible(
  store: Store,
  { actions }: TraceStory,
  caller: Caller | null,
): Promise<readonly TracedAction[]> {
  if (caller?.kind !== 'person') return []
  if (isAuditor(caller)) return actions
  const shown: TracedAction[] = []
  // One after the other, because a run can have hundreds of actions, each with a large payload.
  for (const action of actions) if (await maySeeAction(store, action, caller)) shown.push(action)
  return shown
}

function isAuditor(caller: Caller | null): boolean {
  return caller?.kind === 'person' && caller.roles.has('auditor')
}

async function maySeeAction(
  store: Store,
  { events }: TracedAction,
  caller: Extract<Caller, { kind: 'person' }>,
): Promise<boolean> {
  const about = events as readonly unknown[] as readonly AboutAction[]
  // Votes have subjects of their own.
  const did = about.find(({ type }) => type === 'action.decided')?.subject
  if (did && isBehind(caller.person, did)) return true
  const id = about.find(({ approval }) => approval !== undefined)?.approval
  const approval = id === undefined ? null : await getApproval(store, id)
  return approval !== null && maySee(caller, approval)
}

interface AboutAction {
  readonly type: string
  readonly approval?: string
  readonly subject?: Subject
}
