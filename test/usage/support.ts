import { takeTurn } from '../../src/audit/log/sequence.ts'
import type { AuditLog } from '../../src/audit/append.ts'
import type { DataUse } from '../../src/core/data-use.ts'
import type { EventInput, Outcome } from '../../src/core/event.ts'
import type { Store } from '../../src/store/db.ts'
import { countNext } from '../../src/usage/project.ts'
import { agent, anIntent } from '../support/audit.ts'

export interface Doing {
  readonly by?: string
  readonly on?: string
  /** `null`: it did not run. */
  readonly outcome?: Outcome | null
  readonly usage?: DataUse
  readonly intent?: Partial<EventInput>
}

/** Puts an action on record, and what came of it, as the gate does. */
export async function act(audit: AuditLog, doing: Doing): Promise<string> {
  const { by = 'agent-7', on = 'crm', outcome = { result: 'succeeded' }, usage, intent } = doing
  const { datasets, classes } = usage ?? {}
  const labels = datasets && classes && { usage: { datasets, classes } }
  const event = anIntent({
    ...{ subject: { ...agent, subject: by }, resource: on },
    ...labels,
    ...intent,
  })
  await audit.append(event)
  const action = event.action!
  if (outcome) {
    const completed = { type: 'action.completed', action, resource: on, outcome } as const
    await audit.append({ ...completed, ...(usage && { usage }) })
  }
  return action.id
}

/** Takes everything into the log that is durable, and counts it. */
export async function countAll(store: Store): Promise<void> {
  await takeTurn(store, 0)
  while (await countNext(store));
}

export const customers = { datasets: ['customers'], classes: ['pii'], tables: [], columns: [] }
