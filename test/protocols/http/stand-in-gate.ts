import { Problem } from '../../../src/core/errors.ts'
import type { Outcome } from '../../../src/core/event.ts'
import type { JsonObject } from '../../../src/core/json.ts'
import type { Subject } from '../../../src/core/subject.ts'
import type { Attempt, Sealed } from '../../../src/gate/attempt.ts'
import type { RefusedRequest } from '../../../src/gate/refused-requests.ts'
import type { Running } from '../../../src/gate/still-allowed.ts'
import { issuePermit, type Permit } from '../../../src/gate/permit.ts'

/** What the stand-in has to say about one attempt. */
export type Verdict = 'allow' | 'deny' | 'hold'

/** The one open request of each agent. */
export const taskOf: Record<string, string> = {
  alice: '01890000-0000-7000-8000-00000000000a',
  bob: '01890000-0000-7000-8000-00000000000b',
}

/**
 * A gate without policies, people and a store: it decides as it is told, and issues real permits. Held actions run when `approve` is called.
 */
export class StandInGate {
  verdict: (attempt: Attempt) => Verdict = () => 'allow'
  readsBody = false
  /** What the record of an allowed action waits for, and fails with. */
  recorded: () => Promise<void> = () => Promise.resolve()
  valid: () => boolean = () => true
  /** Why what runs may not go on. */
  ended: (running: Running) => Problem | null = () => null
  readonly attempts: Attempt[] = []
  /** What never became an attempt. */
  readonly refusals: RefusedRequest[] = []
  readonly sealed: Sealed[] = []
  readonly outcomes: Outcome[] = []
  readonly #approvals: (() => void)[] = []
  readonly #onHold: (() => void)[] = []

  needs(): { body: boolean; columns: boolean; facts: string[] } {
    return { body: this.readsBody, columns: false, facts: [] }
  }

  async enforce(attempt: Attempt): Promise<Permit> {
    this.attempts.push(attempt)
    const { action } = attempt
    switch (this.verdict(attempt)) {
      case 'deny':
        throw new Problem('denied', 'No rule allows this.', { action: action.id, rules: [] })
      case 'hold': {
        const sealed = await attempt.seal()
        this.sealed.push(sealed)
        await new Promise<void>((resolve) => {
          this.#approvals.push(resolve)
          attempt.caller.addEventListener('abort', () => resolve())
          for (const held of this.#onHold.splice(0)) held()
        })
        return this.#permit(attempt, sealed.digest)
      }
      case 'allow':
        return this.#permit(attempt, null)
    }
  }

  refused(refused: RefusedRequest): void {
    this.refusals.push(refused)
  }

  async whyEnded(running: Running): Promise<Problem | null> {
    return this.ended(running)
  }

  /** Resolves when an action is held. */
  held(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#approvals.length > 0) resolve()
      else this.#onHold.push(resolve)
    })
  }

  approve(): void {
    for (const run of this.#approvals.splice(0)) run()
  }

  async task(id: string, { subject }: Subject): Promise<JsonObject> {
    if (id !== taskOf[subject]) throw new Problem('not-found', 'There is no such request of yours.')
    return { task: { id, status: 'pending' } }
  }

  async response(): Promise<never> {
    throw new Problem('not-found', 'There is no such request of yours.')
  }

  async cancel(id: string, { subject }: Subject): Promise<JsonObject> {
    if (id !== taskOf[subject]) throw new Problem('not-found', 'There is no such request of yours.')
    return { task: { id, status: 'cancelled' } }
  }

  #permit({ action, caller }: Attempt, digest: string | null): Permit {
    const recorded = this.recorded()
    recorded.catch(() => undefined)
    return issuePermit({
      action,
      digest,
      recorded,
      valid: () => this.valid() && !caller.aborted,
      complete: async (outcome) => {
        this.outcomes.push(outcome)
      },
    })
  }
}
