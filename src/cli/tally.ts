import { z } from 'zod'

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
  actions: number
  /** The last of them: an id to look for in the audit log, and who asked for it. */
  readonly action: string
  readonly subject: string
}

/** An event of the audit log about an action that ran, and would have been denied or held. */
export const observedEvent = z.object({
  time: z.string(),
  action: z.object({ id: z.string() }),
  resource: z.string(),
  decision: z.enum(['deny', 'hold']),
  reason: z.string(),
  rules: z.array(z.string()),
  // Both are absent where personal data was erased.
  subject: z.object({ issuer: z.string(), subject: z.string() }).optional(),
  details: z.object({ summary: z.string() }).optional(),
})
type Observed = z.output<typeof observedEvent>

/**
 * Summaries and subjects that are told apart for each rule: paths are the agents' choice, and there
 * is no end to them.
 */
const mostKept = 10_000
const examplesShown = 5
const erased = '(erased)'

/** Counts what one rule would have stopped. Events come in with the newest first. */
export class Tally {
  readonly #rule: string | null
  readonly #newest: Observed
  // Owned by add().
  readonly #examples = new Map<string, Example>()
  readonly #subjects = new Set<string>()
  #actions = 0
  #first = ''

  constructor(rule: string | null, newest: Observed) {
    this.#rule = rule
    this.#newest = newest
  }

  add(observed: Observed): void {
    const { time, action, subject, details } = observed
    this.#actions += 1
    this.#first = time
    if (subject && this.#subjects.size < mostKept) {
      this.#subjects.add(`${subject.issuer} ${subject.subject}`)
    }
    const summary = details?.summary ?? erased
    const example = this.#examples.get(summary)
    if (example) example.actions += 1
    else if (this.#examples.size < mostKept) {
      const by = subject?.subject ?? erased
      this.#examples.set(summary, { summary, actions: 1, action: action.id, subject: by })
    }
  }

  result(): Stopped {
    const { resource, decision, reason, time } = this.#newest
    const examples = [...this.#examples.values()].toSorted((a, b) => b.actions - a.actions)
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
