import { wantNewer } from '../approvals/outbox.ts'
import type { EventInput } from '../core/event.ts'
import { Problem } from '../core/errors.ts'
import { StoreError, type Queryable } from '../store/db.ts'
import type { GateContext } from './context.ts'

/** What a step does inside its transaction. */
export interface Step {
  readonly tx: Queryable
  /**
   * Writes an audit event in the same transaction: the edge and its record are durable together, or
   * neither is.
   */
  record(event: EventInput): Promise<void>
  /**
   * Tells whoever waits for this approval, after the commit; that the channels have to be told is
   * durable with it.
   */
  changed(approval: string): void
}

/**
 * Every edge of an approval is taken in here: one transaction for the edge and its audit event,
 * news of it after the commit.
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
 * Without an answer from the store nobody knows what is durable. Closed: whatever was to follow
 * from it does not happen.
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
 * No answer, or one that says: not now (PostgreSQL, appendix A: rolled back, out of resources,
 * locked, interrupted). Everything else is a defect.
 */
function isPassing(error: StoreError): boolean {
  return error.ambiguous || /^(40|53|55|57)/.test(error.code)
}
