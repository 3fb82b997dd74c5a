import { getApproval } from '../approvals/store.ts'
import type { Action } from '../core/action.ts'
import type { Decision } from '../core/decision.ts'
import { Problem } from '../core/errors.ts'
import type { EventInput } from '../core/event.ts'
import type { JsonObject } from '../core/json.ts'
import { sameParty, type Subject } from '../core/subject.ts'
import type { Needs } from '../policy/compile.ts'
import { decide } from '../policy/decide.ts'
import { isSuperseded } from '../store/generation.ts'
import type { Running as Counted } from '../usage/under-way.ts'
import type { Accepted, Attempt, DetachableAttempt } from './attempt.ts'
import { subjectKey } from './binding.ts'
import { asProblem } from './commit.ts'
import type { GateContext } from './context.ts'
import { decidedAnew, policiesChanged } from './decided-anew.ts'
import { deny } from './deny.ts'
import { completed, decided, observed } from './events.ts'
import { fetchResponse, type FetchedResponse } from './detached/fetch-response.ts'
import type { PoliciesInForce } from './in-force/generations.ts'
import { hold } from './hold.ts'
import { issuePermit, type Permit } from './permit.ts'
import { createRefusedRequests, type RefusedRequest } from './refused-requests.ts'
import { alreadyEnded, cancelApproval } from './settle.ts'
import { whyEnded, type Running } from './still-allowed.ts'
import { stillValid } from './still-valid.ts'
import { taskOf } from './task.ts'
import { counting, usageNow, withUsage } from './usage-facts.ts'

/**
 * The one way to production. An attempt goes in. Either a permit comes out, or a problem is thrown
 * and nothing runs:
 *
 *     decide → hold if needed → append the intent → hand out a permit → take the outcome back
 *
 * On a resource that is only observed, the decision is recorded and not enforced. Everything else
 * is the same.
 */
export class Gate {
  readonly #ctx: GateContext
  readonly #refuse: (refused: RefusedRequest) => void

  constructor(ctx: GateContext) {
    this.#ctx = ctx
    this.#refuse = createRefusedRequests(ctx.audit, ctx.log)
  }

  /** What the rules have to know about an action on this resource before it can be decided. */
  needs(resource: string): Pick<Needs, 'body' | 'columns' | 'facts'> {
    return this.#ctx.policies().needs(resource)
  }

  /**
   * Resolves to a permit if the action may run now, and rejects with a `Problem` otherwise. Any
   * other rejection means the same: nothing is forwarded. A detachable attempt that has to be
   * approved first is accepted, and the gateway sends it by itself later (`DetachedRuns`).
   */
  enforce(attempt: DetachableAttempt): Promise<Permit | Accepted>
  enforce(attempt: Attempt): Promise<Permit>
  enforce(attempt: Attempt | DetachableAttempt): Promise<Permit | Accepted> {
    return decidedAnew(this.#ctx, () => this.#enforce(attempt))
  }

  async #enforce(wish: Attempt | DetachableAttempt): Promise<Permit | Accepted> {
    const policies = this.#ctx.policies()
    const known = withUsage(this.#ctx, wish, policies)
    const attempt = known instanceof Promise ? (await known)() : known
    const { action } = attempt
    const decision = decide(action, {}, policies)
    this.#note(action, decision)
    if (this.#ctx.observed.has(action.resource)) {
      return this.#run(attempt, observed(action, decision), policies)
    }
    switch (decision.verdict) {
      case 'allow':
        return this.#run(attempt, decided(action, decision), policies)
      case 'hold':
        return hold(this.#ctx, attempt, decision)
      case 'deny':
        return deny(this.#ctx, action, decision)
    }
  }

  /**
   * Puts a request on record that never became an action: up to some a second, and a count of those
   * beyond.
   */
  refused(refused: RefusedRequest): void {
    this.#refuse(refused)
  }

  /**
   * Why something that was permitted a while ago may not go on, or `null` if it may. To be asked
   * about once a second.
   */
  whyEnded(running: Running): Promise<Problem | null> {
    return whyEnded(this.#ctx, running)
  }

  /**
   * The task of an approval, for the subject that asked for it. Rejects with `not-found` for
   * everybody else, who must not learn that it exists.
   */
  async task(id: string, subject: Subject): Promise<JsonObject> {
    return { task: taskOf(await this.#own(id, subject)) }
  }

  /**
   * The response to a detached run, for the subject that asked for it. Rejects with
   * `response-pending`, `response-gone`, or the reason why it did not run.
   */
  async response(id: string, subject: Subject): Promise<FetchedResponse> {
    return fetchResponse(this.#ctx, await this.#own(id, subject))
  }

  /**
   * Takes back the request for an approval. Rejects with `already-resolved` once it has ended or
   * runs.
   */
  async cancel(id: string, subject: Subject): Promise<JsonObject> {
    const { issuer, subject: name } = subject
    await this.#own(id, subject)
    const by = { issuer, subject: name }
    const approval = await cancelApproval(this.#ctx, id, by, null, alreadyEnded)
    return { task: taskOf(approval) }
  }

  /**
   * Gives an action with an effect its permit when its intent is durable. A read is sent at once
   * and its answer waits for the record (`Permit.recorded`), so that the commit overlaps with the
   * upstream, and still no data leaves unrecorded.
   */
  #run(
    attempt: Attempt,
    intent: EventInput,
    { generation }: PoliciesInForce,
  ): Permit | Promise<Permit> {
    const { audit, lease, usage } = this.#ctx
    const { epoch } = lease
    const { action } = attempt
    // In the same turn as the decision, so that the next decision counts this run.
    const running = usage.begin(action)
    const appended = audit.append(intent, generation)
    if (action.effect !== 'read') {
      appended.catch(() => running?.cameToNothing())
      return appended.then(() => this.#permit(attempt, epoch, appended, running))
    }
    const recorded = appended.catch((error: unknown) => this.#again(action, error))
    // Whoever releases the answer awaits this. Until then, a failure must not count as unhandled.
    recorded.catch(() => undefined)
    return this.#permit(attempt, epoch, recorded, running)
  }

  /** `epoch`: the one in which the intent was written, which the permit is good for. */
  #permit(
    { action, caller }: Attempt,
    epoch: number,
    recorded: Promise<void>,
    running: Counted | null,
  ): Permit {
    const { audit, outcomes } = this.#ctx
    return issuePermit({
      action,
      digest: null,
      recorded,
      valid: () => stillValid(this.#ctx, epoch, caller),
      complete: counting(running, (outcome) =>
        outcomes.persist(epoch, audit.soon(completed(action, outcome))),
      ),
    })
  }

  /**
   * Decides again about a read that was sent under policies which were replaced before it was on
   * record. Its answer is released only if the policies in force now allow it too.
   */
  async #again(action: Action, error: unknown): Promise<void> {
    if (!isSuperseded(error)) throw error
    await decidedAnew(this.#ctx, async () => {
      const policies = this.#ctx.policies()
      const facts = await usageNow(this.#ctx, this.#ctx.store, action, policies)
      const decision = decide(action, facts(), policies)
      if (this.#ctx.observed.has(action.resource)) {
        return this.#ctx.audit.append(observed(action, decision), policies.generation)
      }
      if (decision.verdict === 'deny') return deny(this.#ctx, action, decision)
      await this.#ctx.audit.append(decided(action, decision), policies.generation)
      // Closed: what was sent cannot be held any more, so its answer is thrown away. If the client
      // repeats it, it is held.
      if (decision.verdict === 'hold') throw policiesChanged()
    })
  }

  /** For debugging. What counts is the audit log. */
  #note({ id: action, resource }: Action, { verdict, reason, rules }: Decision): void {
    this.#ctx.log.debug({ action, resource, verdict, reason, rules }, 'decided')
  }

  async #own(id: string, subject: Subject) {
    const approval = await getApproval(this.#ctx.store, id).catch((error: unknown) => {
      throw asProblem(error)
    })
    if (
      !approval ||
      !sameParty(approval.action.subject, subject) ||
      approval.subjectKey !== subjectKey(subject)
    ) {
      throw new Problem('not-found', `There is no request ${id} of yours.`)
    }
    return approval
  }
}
