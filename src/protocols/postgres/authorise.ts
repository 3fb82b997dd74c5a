import { randomUUID } from 'node:crypto'
import { Problem } from '../../core/errors.ts'
import type { Principal } from '../../core/subject.ts'
import type { Sealed, Waiting } from '../../gate/attempt.ts'
import type { Gate } from '../../gate/gate.ts'
import type { Permit } from '../../gate/permit.ts'
import { actionOf } from './action.ts'
import { cancelled, inFailedTransaction, refusalOf, unreadableRefusal } from './refusal.ts'
import { Run } from './run.ts'
import { Over, Skipped } from './server-side.ts'
import type { Impact } from './sql/impact.ts'
import type { Analysis } from './sql/statement.ts'
import type { Report } from './wire/messages.ts'

/** Held, in a transaction that has failed: the server would refuse it, whatever people say. */
export class FailedTransaction extends Error {
  override readonly name = 'FailedTransaction'
}

export interface AuthoriserInit {
  readonly gate: Pick<Gate, 'enforce' | 'whyEnded'>
  readonly principal: Principal
  readonly resource: string
  /** Names upstream and credential without revealing them; part of what an approval is bound to. */
  readonly binding: string
  readonly database: string
  readonly user: string
  /** Called while an action waits for people, at once and then from time to time. */
  readonly notice: (waiting: Waiting) => void
}

interface Wish {
  readonly text: string
  readonly analysis: Analysis
  /** `null` where nobody asks. */
  readonly impact: Impact | null
  /** Milliseconds that it may wait for people. */
  readonly waitMs: number
  /**
   * Rejects with `FailedTransaction`, `Skipped`, or a problem: then it does not wait, and does not
   * run. Called again before what was approved runs.
   */
  readonly seal: () => Promise<Sealed>
}

/** Milliseconds between two notices of a statement that waits. */
const reminder = 15_000

/** Gets the permits of one session, one after the other. */
export class Authoriser {
  readonly #init: AuthoriserInit
  /** Names this session, and no other that ever was: what is granted to it is good for no other. */
  readonly #connection = randomUUID()
  // Owned by run(): ends what waits for the gate. The same one again where nobody has listened to
  // it yet: making one costs as much as deciding.
  #attempt = new AbortController()
  #waiting = false
  // Owned by cancel() and run().
  #cancelled = false
  // Owned by abandon().
  #abandoned = false

  constructor(init: AuthoriserInit) {
    this.#init = init
  }

  /**
   * A run of what was permitted, or what the client is told instead. Rejects with `Skipped` and
   * `Over`.
   */
  async run({ text, analysis, impact, waitMs, seal }: Wish): Promise<Run | Report> {
    const { gate, principal, resource, binding, database, user } = this.#init
    const { subject, credential } = principal
    if (this.#abandoned) throw new Over()
    if (this.#takeBack()) return cancelled
    this.#waiting = true
    let reminders: NodeJS.Timeout | undefined
    try {
      const permit = await gate.enforce({
        action: actionOf({ subject, resource, database, user, text, analysis, impact }),
        credential,
        binding,
        connection: this.#connection,
        seal,
        waitMs,
        caller: this.#attempt.signal,
        approval: null,
        held: (waiting) => {
          this.#init.notice(waiting)
          reminders = setInterval(() => this.#init.notice(waiting), reminder)
        },
      })
      return permit.digest === null ? begun(permit) : await this.#approved(permit, seal)
    } catch (error) {
      if (error instanceof Skipped || error instanceof Over) throw error
      if (this.#takeBack()) return cancelled
      return this.#refusal(error, analysis)
    } finally {
      clearInterval(reminders)
      this.#waiting = false
      if (reminders || this.#attempt.signal.aborted) this.#attempt = new AbortController()
    }
  }

  /**
   * The client takes back what it has sent and has not begun: the action that waits for the gate,
   * or else the next one.
   */
  cancel(): void {
    this.#cancelled = true
    if (this.#waiting) this.#attempt.abort()
  }

  /**
   * All that the client has sent was dealt with: there is nothing left that it could have taken
   * back.
   */
  settled(): void {
    this.#cancelled = false
  }

  /**
   * Nobody waits any more: what is held now is not released to this session, and nothing else of it
   * begins.
   */
  abandon(): void {
    this.#abandoned = true
    if (this.#waiting) this.#attempt.abort()
  }

  /**
   * A digest in the permit means that people approved this text with these values, in this session
   * as it was, and about what its names stood for.
   */
  async #approved(permit: Permit, seal: Wish['seal']): Promise<Run | Report> {
    try {
      // Anew: while people looked at it, others may have put something else in the place of a table
      // or a function.
      const { digest } = await seal()
      if (digest !== permit.digest) throw changedMeanwhile(permit)
      if (this.#takeBack()) {
        void permit.complete({ result: 'failed', error: 'not-sent' })
        return cancelled
      }
      return begun(permit, digest, async () => (await seal()).digest)
    } catch (error) {
      // It is not what was approved, or what it is cannot be said any more. Nothing was sent.
      void permit.complete({ result: 'failed', error: 'not-sent' })
      throw error
    }
  }

  /**
   * Why what was permitted a while ago does not begin, or go on, or `null`: its credential, its
   * approval, or the rules of then count no more; or what it names is not what was approved.
   * Rejects with `Skipped` and `Over`.
   */
  async refusedSince(run: Run, settings: number): Promise<Report | null> {
    if (run.refused) return run.refused
    const { gate, principal } = this.#init
    const { permit, started, digestNow } = run
    const isSettled = started && !run.isApprovedBefore(settings)
    const { action } = permit
    const { credential } = principal
    try {
      run.lookedAt(settings)
      const why = await gate.whyEnded({ action, credential, permit, endless: false })
      if (why) throw why
      if (isSettled || !digestNow || (await digestNow()) === permit.digest) return null
      throw changedMeanwhile(permit)
    } catch (error) {
      if (error instanceof Skipped || error instanceof Over) throw error
      if (!started) run.finish('failed', 'not-sent')
      // Closed for good: it is on record as what did not run.
      run.refused = error instanceof FailedTransaction ? inFailedTransaction : refusalOf(error)
      return run.refused
    }
  }

  #takeBack(): boolean {
    const takenBack = this.#cancelled
    this.#cancelled = false
    return takenBack
  }

  #refusal(error: unknown, { unreadable }: Analysis): Report {
    if (error instanceof FailedTransaction) return inFailedTransaction
    const report = refusalOf(error)
    const denied = error instanceof Problem && error.code === 'denied'
    return denied && unreadable ? unreadableRefusal(unreadable, report) : report
  }
}

/** Redeems the permit. */
function begun(
  permit: Permit,
  digest: string | null = null,
  digestNow: Run['digestNow'] = null,
): Run {
  try {
    permit.redeem(digest)
    return new Run(permit, digestNow)
  } catch (error) {
    // Nobody waits for it any more, or this replica may be taken for dead. Nothing was sent.
    void permit.complete({ result: 'failed', error: 'not-sent' })
    throw error
  }
}

function changedMeanwhile({ action }: Permit): Problem {
  const detail = 'What it names is not what it was when this was approved.'
  return new Problem('approval-invalidated', detail, { action: action.id })
}
