import type { Outcome } from '../core/event.ts'
import type { Action } from '../core/action.ts'

const mint = Symbol('mint')

interface PermitInit {
  readonly action: Action
  /**
   * The digest of the exact payload that was approved; `null` where the decision did not bind the
   * payload.
   */
  readonly digest: string | null
  readonly recorded: Promise<void>
  /**
   * Whether this replica still holds the action, by its lease on the monotonic clock. May throw a
   * problem that says why not.
   */
  readonly valid: () => boolean
  readonly complete: (outcome: Outcome) => Promise<void>
  /** Absent where nobody had to approve the action. */
  readonly under?: Leave
}

/**
 * The approval that an action runs under, directly or by a grant, and when the approval or the
 * grant ends.
 */
export interface Leave {
  readonly approval: string
  readonly until: Date
}

/** A permit that cannot be used. Nothing was sent. */
class PermitError extends Error {
  override readonly name = 'PermitError'
}

/**
 * Leave to run one action, once. Only the gate can make one, and nothing is dialled or forwarded
 * without one: a forwarder takes it and redeems it immediately before the first byte.
 */
export class Permit {
  readonly action: Action
  readonly digest: string | null
  /**
   * Resolves when the record of this action is durable. For an action with an effect it already is.
   * The answer to a read must not be released before this resolves, and has to be discarded if it
   * rejects (`store-unavailable`, or a denial by newer policies).
   */
  readonly recorded: Promise<void>
  /** `null` where nobody had to approve it. */
  readonly under: Leave | null

  // Owned by redeem() and complete(): each goes from false to true once.
  #redeemed = false
  #completed = false
  readonly #valid: () => boolean
  readonly #complete: (outcome: Outcome) => Promise<void>

  constructor(key: symbol, init: PermitInit) {
    if (key !== mint) throw new PermitError('Only the gate makes permits.')
    this.action = init.action
    this.digest = init.digest
    this.recorded = init.recorded
    this.under = init.under ?? null
    this.#valid = init.valid
    this.#complete = init.complete
  }

  /**
   * To be called immediately before the first byte goes out. Throws `PermitError` when the permit
   * has been used, is for another payload, or has lapsed (if the process was stopped past its
   * lease, another replica may have given the action up), and the problem of `valid`. Closed:
   * sending then could run an action twice, or one that nobody approved.
   */
  redeem(digest: string | null): void {
    if (this.#redeemed) throw new PermitError('This permit has been used.')
    if (digest !== this.digest) throw new PermitError('This permit is for another payload.')
    if (!this.#valid()) throw new PermitError('This permit has lapsed.')
    this.#redeemed = true
  }

  /**
   * Throws `store-unavailable` when other replicas may take this one for dead by now, and the
   * action for ended.
   */
  assertHeld(): void {
    this.#valid()
  }

  /**
   * Records what the upstream did; only the first call counts. Never rejects: an outcome that
   * cannot be recorded becomes `unknown` later.
   */
  complete(outcome: Outcome): Promise<void> {
    if (this.#completed) return Promise.resolve()
    this.#completed = true
    return this.#complete(outcome)
  }
}

/** For the gate alone, which a lint rule enforces. */
export function issuePermit(init: PermitInit): Permit {
  return new Permit(mint, init)
}
