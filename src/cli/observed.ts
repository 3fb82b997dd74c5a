import { z } from 'zod'
import type { ControlPlane } from './control-plane.ts'
import { observedEvent, Tally, type Stopped } from './tally.ts'

export interface ObservedReport {
  readonly from: string
  /** An action counts once here, however many rules would have stopped it. */
  readonly denied: number
  readonly held: number
  /** The most frequent first. */
  readonly stopped: readonly Stopped[]
}

const page = z.object({ events: z.array(observedEvent), cursor: z.string().nullable() })

/** Events on a page: they can be large. */
const pageSize = 200

/** Reads what was decided and not enforced since then, all of it, and counts it. */
export async function reportObserved(
  plane: ControlPlane,
  from: string,
  resource?: string,
): Promise<ObservedReport> {
  const filter = { type: 'action.decided', enforced: 'false', from, limit: String(pageSize) }
  const tallies = new Map<string, Tally>()
  const count = { deny: 0, hold: 0 }
  let cursor: string | null = null
  do {
    const query = new URLSearchParams({
      ...filter,
      ...(resource && { resource }),
      ...(cursor && { cursor }),
    })
    const answer: z.output<typeof page> = await plane.get(
      `/api/audit/events?${query.toString()}`,
      page,
    )
    for (const observed of answer.events) {
      count[observed.decision] += 1
      for (const rule of observed.rules.length > 0 ? observed.rules : [null]) {
        const { resource: on, decision, reason } = observed
        const key = JSON.stringify([on, decision, rule, reason])
        const tally = tallies.get(key) ?? new Tally(rule, observed)
        tallies.set(key, tally)
        tally.add(observed)
      }
    }
    cursor = answer.cursor
  } while (cursor !== null)
  const stopped = [...tallies.values()].map((tally) => tally.result())
  return {
    from,
    denied: count.deny,
    held: count.hold,
    stopped: stopped.toSorted((a, b) => b.actions - a.actions),
  }
}
