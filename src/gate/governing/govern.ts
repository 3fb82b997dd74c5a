import { randomUUIDv7 } from 'node:crypto'
import type { Approval } from '../../approvals/approval.ts'
import type { Action } from '../../core/action.ts'
import { gatewayItself, type Operation } from '../../core/gateway-itself.ts'
import type { JsonObject } from '../../core/json.ts'
import type { Subject } from '../../core/subject.ts'
import { decide } from '../../policy/decide.ts'
import { isSuperseded, pinGeneration } from '../../store/generation.ts'
import type { Attempt } from '../attempt.ts'
import { actionDigest, hashOf, subjectKey } from '../binding.ts'
import { commit } from '../commit.ts'
import type { GateContext } from '../context.ts'
import { policiesChanged } from '../decided-anew.ts'
import { deny } from '../deny.ts'
import type { PoliciesInForce } from '../in-force/generations.ts'
import { requestApproval } from '../request-approval.ts'

/** Something that somebody wants to do to the gateway itself, and that their role lets them do. */
export interface Errand {
  readonly operation: Operation
  readonly subject: Subject
  /** What it concerns, such as the name of a key or the hash of policies. */
  readonly target: string
  /** One line for people. */
  readonly summary: string
  /** The whole errand: what people are shown is what is done. */
  readonly payload: JsonObject
}

export type Govern = (errand: Errand) => Promise<Approval | null>

/**
 * Asks the policies whether an errand may be done. Resolves to `null` if it may, and to the
 * approval that it waits for if a rule holds it; the gateway then does it by itself once it is
 * approved. Rejects with `denied`, and with `policies-changed` where only outdated policies of this
 * replica allow it.
 */
export async function govern(ctx: GateContext, errand: Errand): Promise<Approval | null> {
  const action = actionOf(errand)
  const policies = ctx.policies()
  const decision = decide(action, {}, policies)
  switch (decision.verdict) {
    case 'allow':
      await refuseOutdated(ctx, policies)
      return null
    case 'deny':
      return deny(ctx, action, decision)
    case 'hold': {
      const payload = { digest: hashOf(errand.payload), payload: errand.payload }
      const bound = {
        subjectKey: subjectKey(action.subject),
        digest: actionDigest(action, gatewayItself, payload.digest),
        binding: gatewayItself,
        sealed: payload,
      }
      return requestApproval(ctx, attemptOf(action, payload), decision, bound)
    }
  }
}

/**
 * Closed: a replica that has not loaded the policies in force cannot tell whether they allow this.
 * It must not catch up here: that would wait for the files that are being put into force, which
 * wait for this answer.
 */
async function refuseOutdated(ctx: GateContext, { generation }: PoliciesInForce): Promise<void> {
  try {
    await commit(ctx, ({ tx }) => pinGeneration(tx, generation))
  } catch (error) {
    throw isSuperseded(error) ? policiesChanged(error) : error
  }
}

function actionOf({ operation, subject, target, summary }: Errand): Action {
  return {
    id: randomUUIDv7(),
    name: operation,
    subject,
    resource: gatewayItself,
    effect: 'admin',
    attributes: { admin: { operation, target } },
    summary,
    agentReason: null,
    trace: null,
  }
}

/** Nobody waits on a connection for it, and its credential was checked where it came in. */
function attemptOf(action: Action, sealed: Awaited<ReturnType<Attempt['seal']>>): Attempt {
  return {
    action,
    credential: { kind: 'jwt', id: gatewayItself, expiresAt: null },
    binding: gatewayItself,
    connection: null,
    seal: async () => sealed,
    waitMs: 0,
    caller: new AbortController().signal,
    approval: null,
  }
}
