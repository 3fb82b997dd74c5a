import { wantNewer } from '../approvals/outbox.ts'
import type { EventInput } from '../core/event.ts'
import { Problem } from '../core/errors.ts'
import { StoreError, type Queryable } from '../store/db.ts'
import type { GateContext } from './context.ts'

/** What work inside a transaction can do. */
export interface Step {
  readonly tx: Queryable
  /**
   * Writes an audit event in the same transaction, so that the edge and its record are durable
   * together or not at all.
   */
  record(event: EventInput): Promise<void>
  /**
   * Tells whoever waits for this approval, after the commit. That the channels have to be told
   * becomes durable with the commit.
   */
  changed(approval: string): void
}

/**
 * Every edge of an approval is taken in here: one transaction for the edge and its audit event, and
 * news of it after the commit. Rejects with `store-unavailable` where the store cannot answer.
 */
export async function commit<T>(ctx: GateContext, work: (step: Step) => Promise<T>): Promise<T> {
  const changed = new Set<string>()
  try {
    const result = await ctx.store.tx(async (tx) => {
      const done = await work({
        tx,
        record: (event) => ctx.audit.write(tx, event),
        changed: (approval) => changed.add(approval),
      })
      if (ctx.announcing.channels.length > 0) {
        for (const approval of changed) await wantNewer(tx, approval)
      }
      return done
    })
    ctx.audit.linkWritten()
    for (const approval of changed) ctx.holds.announce(approval)
    return result
  } catch (error) {
    throw asProblem(error)
  }
}

/**
 * The problem `store-unavailable` for an error that says so; any other error as it is. Closed:
 * without an answer nobody knows what is durable, so nothing that depends on it happens.
 */
export function asProblem(error: unknown): unknown {
  if (!(error instanceof StoreError) || !isPassing(error)) return error
  return new Problem(
    'store-unavailable',
    'The audit store did not answer, so nothing was forwarded. Try again when it is back.',
    {},
    { cause: error },
  )
}

/**
 * Whether there was no answer, or one that means "not now": rolled back, out of resources, locked,
 * interrupted (PostgreSQL documentation, appendix A). Everything else is a defect.
 */
function isPassing(error: StoreError): boolean {
  return error.ambiguous || /^(40|53|55|57)/.test(error.code)
}
