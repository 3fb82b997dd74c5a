import { z } from 'zod'
import type { ControlPlane } from './control-plane.ts'

/** What one rule, or that there is none, would have stopped. */
export interface Stopped {
  readonly resource: string
  readonly verdict: 'deny' | 'hold'
  /** `null`: no rule covers it. */
  readonly rule: string | null
  readonly reason: string
  readonly actions: number
  /** How many subjects asked for it. */
  readonly subjects: number
  readonly first: string
  readonly last: string
  /** The most frequent ones, in the words of their summaries. */
  readonly examples: readonly Example[]
}

interface Example {
  readonly summary: string
  readonly actions: number
  /** The last of them: an id to look for in the audit log, and who asked for it. */
  readonly action: string
  readonly subject: string
}

export interface ObservedReport {
  readonly from: string
  /** An action counts once here, however many rules would have stopped it. */
  readonly denied: number
  readonly held: number
  /** The most frequent first. */
  readonly stopped: readonly Stopped[]
}

const event = z.looseObject({
  time: z.string(),
  action: z.looseObject({ id: z.string() }),
  resource: z.string(),
  decision: z.enum(['deny', 'hold']),
  reason: z.string(),
  rules: z.array(z.string()),
  // Both are absent where personal data was erased.
  subject: z.looseObject({ issuer: z.string(), subject: z.string() }).optional(),
  details: z.looseObject({ summary: z.string() }).optional(),
})
type Observed = z.output<typeof event>

const page = z.object({ events: z.array(event), cursor: z.string().nullable() })

/** Events on a page: they can be large. */
const pageSize = 200
/** Summaries and subjects that are told apart for each rule: paths are the agents' choice, and there is no end to them. */
const mostKept = 10_000
const examplesShown = 5

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
    const answer: z.output<typeof page> = await plane.get(`/api/audit/events?${query}`, page)
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

/** Counts what one rule would have stopped. Events come in with the newest first. */
class Tally {
  readonly #rule: string | null
  readonly #newest: Observed
  // Owned by add().
  readonly #examples = new Map<string, { actions: number; readonly newest: Observed }>()
  readonly #subjects = new Set<string>()
  #actions = 0
  #first = ''

  constructor(rule: string | null, newest: Observed) {
    this.#rule = rule
    this.#newest = newest
  }

  add(observed: Observed): void {
    const { time, subject } = observed
    this.#actions += 1
    this.#first = time
    if (subject && this.#subjects.size < mostKept) {
      this.#subjects.add(`${subject.issuer} ${subject.subject}`)
    }
    const summary = summaryOf(observed)
    const example = this.#examples.get(summary)
    if (example) example.actions += 1
    else if (this.#examples.size < mostKept) {
      this.#examples.set(summary, { actions: 1, newest: observed })
    }
  }

  result(): Stopped {
    const { resource, decision, reason, time } = this.#newest
    const examples = [...this.#examples]
      .map(
        ([
          summary,
          {
            actions,
            newest: { action, subject },
          },
        ]) => ({
          summary,
          actions,
          action: action.id,
          subject: subject?.subject ?? erased,
        }),
      )
      .toSorted((a, b) => b.actions - a.actions)
    return {
      resource,
      verdict: decision,
      rule: this.#rule,
      reason,
      actions: this.#actions,
      subjects: this.#subjects.size,
      first: this.#first,
      last: time,
      examples: examples.slice(0, examplesShown),
    }
  }
}

const erased = '(erased)'

function summaryOf({ details }: Observed): string {
  return details?.summary ?? erased
}
