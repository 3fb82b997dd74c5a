import type { Approval, NewApproval, Resolution } from '../approvals/approval.ts'
import type { Action } from '../core/action.ts'
import type { DataUse } from '../core/data-use.ts'
import type { Decision } from '../core/decision.ts'
import type { EventInput, Outcome } from '../core/event.ts'
import type { JsonObject } from '../core/json.ts'
import { parseJson } from '../core/parse-json.ts'
import { recordedAttributes } from './recorded-attributes.ts'
import { withoutQuestion } from './without-question.ts'

function plain(value: unknown): JsonObject {
  return parseJson(JSON.stringify(value)) as JsonObject
}

function actionFields(action: Action): Partial<EventInput> {
  return {
    action: { id: action.id, name: action.name },
    resource: action.resource,
    effect: action.effect,
    ...(action.trace !== null && { trace: action.trace }),
    ...(action.span && { span: action.span }),
  }
}

function decisionFields({ verdict, reason, rules, policy }: Decision): Partial<EventInput> {
  return { decision: verdict, reason, rules, policy }
}

/**
 * An action was decided. With the verdict `allow` this is the intent: from here on the action may
 * reach the upstream.
 */
export function decided(
  action: Action,
  decision: Decision,
  digest?: string,
  approval?: string,
): EventInput {
  return {
    type: 'action.decided',
    ...actionFields(action),
    ...decisionFields(decision),
    subject: action.subject,
    attributes: recordedAttributes(
      action.question ? withoutQuestion(action.attributes) : action.attributes,
    ),
    details: {
      summary: action.summary,
      ...(action.agentReason !== null && { agent_reason: action.agentReason }),
    },
    ...(digest && { digest }),
    ...(approval && { approval }),
    ...labelled(action),
  }
}

/** Only data sets and classes, because tables and columns are among the attributes already. */
function labelled({ data }: Action): { usage?: DataUse } {
  if (!data || data.datasets.length === 0) return {}
  return { usage: { datasets: data.datasets, classes: data.classes } }
}

/** A decision that was not enforced. Whatever its verdict, this is the intent of a run. */
export function observed(action: Action, decision: Decision): EventInput {
  const event = decided(action, decision)
  return decision.verdict === 'allow' ? event : { ...event, enforced: false }
}

export function requested(approval: NewApproval): EventInput {
  return {
    type: 'approval.requested',
    ...actionFields(approval.action),
    ...decisionFields(approval.decision),
    subject: approval.action.subject,
    details: plain({
      requirements: approval.decision.requirements,
      view_hash: approval.viewHash,
      expires_at: approval.expiresAt,
      ran_before: approval.ranBefore,
    }),
    digest: approval.digest,
    approval: approval.id,
  }
}

/** An approval reached a state that no vote changes any more. */
export function resolved(approval: Approval, resolution: Resolution, reason: string): EventInput {
  return {
    type: 'approval.resolved',
    ...actionFields(approval.action),
    subject: approval.action.subject,
    details: plain({ state: approval.state, ...resolution }),
    digest: approval.digest,
    reason,
    policy: approval.decision.policy,
    approval: approval.id,
  }
}

/** The intent of an approved action, durable before its first byte leaves. */
export function dispatched(
  action: Action,
  decision: Decision,
  approval: Approval,
  details?: JsonObject,
): EventInput {
  return {
    type: 'action.dispatched',
    ...actionFields(action),
    ...decisionFields(decision),
    subject: action.subject,
    digest: approval.digest,
    approval: approval.id,
    ...(details && { details }),
    ...labelled(action),
  }
}

export function completed(
  action: Action,
  { model, ...outcome }: Outcome,
  approval?: string,
): EventInput {
  const { data } = action
  return {
    type: 'action.completed',
    ...actionFields(action),
    outcome,
    ...((data || model) && { usage: { ...data, ...model } }),
    ...(approval && { approval }),
  }
}
