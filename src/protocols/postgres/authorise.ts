import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { Problem } from '../../core/errors.ts'
import type { Principal } from '../../core/subject.ts'
import type { Waiting } from '../../gate/attempt.ts'
import type { Gate } from '../../gate/gate.ts'
import type { Permit } from '../../gate/permit.ts'
import { actionOf } from './action.ts'
import { cancelled, inFailedTransaction, refusalOf, unreadableRefusal } from './refusal.ts'
import { Run } from './run.ts'
import type { SealedNow } from './seal.ts'
import { Over, Skipped } from './server-side.ts'
import type { Impact } from './sql/impact.ts'
import type { Analysis } from './sql/statement.ts'
import type { Report } from './wire/messages.ts'

/**
 * A statement would be held in a transaction that has failed. The server would refuse it whatever
 * people say, so nobody is asked.
 */
export class FailedTransaction extends Error {
  override readonly name = 'FailedTransaction'
}

export interface AuthoriserInit {
  readonly gate: Pick<Gate, 'enforce' | 'whyEnded'>
  readonly principal: Principal
  readonly resource: string
  /** A digest of the upstream and the credential; part of what an approval is bound to. */
  readonly binding: string
  readonly database: string
  readonly user: string
  /** Called while an action waits for people, at once and then from time to time. */
  readonly notice: (waiting: Waiting) => void
}

interface Wish {
  readonly text: string
  readonly analysis: Analysis
  /** `null` where no rule looks at it. */
  readonly impact: Impact | null
  /** Milliseconds that it may wait for people. */
  readonly waitMs: number
  /**
   * Rejects with `FailedTransaction`, `Skipped`, or a problem; then the statement neither waits nor
   * runs. Called again before an approved statement runs.
   */
  readonly seal: () => Promise<SealedNow>
}

/** Milliseconds between two notices of a statement that waits. */
const reminder = 15_000

/**
 * Milliseconds that an approved statement waits for others who are changing what it names, and
 * between two looks at that.
 */
const patience = 10_000
const between = 100

/** Gets the permits of one session, one after another. */
export class Authoriser {
  readonly #init: AuthoriserInit
  /** Identifies this session alone: what is granted to it is good for no other. */
  readonly #connection = randomUUID()
  // Owned by run(): aborts what waits for the gate. Reused while nobody has listened to it, because
  // making a controller costs as much as a decision.
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
   * Returns the permitted run, or what the client is told instead. Rejects with `Skipped` and
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
   * The client takes back what it has sent and has not begun: the action that waits for the gate if
   * there is one, otherwise the next action.
   */
  cancel(): void {
    this.#cancelled = true
    if (this.#waiting) this.#attempt.abort()
  }

  /** Everything that the client has sent is dealt with, so there is nothing left to take back. */
  settled(): void {
    this.#cancelled = false
  }

  /**
   * Nobody waits any more. What is held is not released to this session, and nothing else of it
   * begins.
   */
  abandon(): void {
    this.#abandoned = true
    if (this.#waiting) this.#attempt.abort()
  }

  /**
   * Begins a run whose permit has a digest: people approved this text with these values, in this
   * session as it was, against what its names stood for.
   */
  async #approved(permit: Permit, seal: Wish['seal']): Promise<Run | Report> {
    try {
      // Seal again: while people looked at it, somebody may have replaced a table or a function.
      const digest = await this.#undisturbed(permit, seal)
      if (this.#takeBack()) {
        void permit.complete({ result: 'failed', error: 'not-sent' })
        return cancelled
      }
      if (digest !== permit.digest) throw changedMeanwhile(permit)
      return begun(permit, digest, () => this.#undisturbed(permit, seal))
    } catch (error) {
      // It is not what was approved, or we can no longer tell. Nothing was sent.
      void permit.complete({ result: 'failed', error: 'not-sent' })
      throw error
    }
  }

  /**
   * The digest as it is once nobody else is changing what the statement names: at the server it
   * would wait for them, and then run against what they have made of it. `null` once it is taken
   * back.
   */
  async #undisturbed({ action }: Permit, seal: Wish['seal']): Promise<string | null> {
    const end = performance.now() + patience
    for (;;) {
      const { digest, contested } = await seal()
      if (!contested) return digest
      if (this.#abandoned) throw new Over()
      if (this.#cancelled) return null
      if (performance.now() > end) {
        // Closed: nobody can tell what it would do by the time that the server gets to it.
        const detail = 'Somebody else is changing what it names, and has not finished.'
        throw new Problem('approval-invalidated', detail, { action: action.id })
      }
      await pause(between)
    }
  }

  /**
   * Why a run that was permitted a while ago may not begin or go on, or `null`: its credential, its
   * approval or its rules no longer count, or its names stand for something that was not approved.
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
      // Closed for good: the record says that it did not run.
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
    // Nobody waits for it any more, or other replicas may take this one for dead. Nothing was sent.
    void permit.complete({ result: 'failed', error: 'not-sent' })
    throw error
  }
}

function changedMeanwhile({ action }: Permit): Problem {
  const detail = 'What it names is not what it was when this was approved.'
  return new Problem('approval-invalidated', detail, { action: action.id })
}
