import type { Approval, Vote } from '../approvals/approval.ts'
import { breakGlassOf } from '../approvals/break-glass.ts'
import { isEligible } from '../approvals/quorum.ts'
import { offeredScopes } from '../approvals/scope.ts'
import type { Action } from '../core/action.ts'
import type { Requirement, Risk } from '../core/decision.ts'
import type { JsonObject } from '../core/json.ts'
import { parseJson } from '../core/parse-json.ts'
import { hashOf } from './binding.ts'

const risks: readonly Risk[] = ['low', 'medium', 'high', 'critical']

export function highestRisk(requirements: readonly Requirement[]): Risk {
  return risks[Math.max(...requirements.map(({ risk }) => risks.indexOf(risk)))] ?? 'medium'
}

/**
 * `once`, and what the rules offer beyond it: for how long at most, and which attributes have to be
 * the same (all, where none are listed).
 */
function scopeOptions({ decision, connection }: Pick<Approval, 'decision' | 'connection'>) {
  const offers = offeredScopes(decision.requirements, connection !== null)
  return [
    'once',
    ...offers.map(({ session, ...offer }) => ({ ...(session && { session }), ...offer })),
  ]
}

type Shown = Pick<
  Approval,
  | 'id'
  | 'digest'
  | 'action'
  | 'payload'
  | 'decision'
  | 'ranBefore'
  | 'connection'
  | 'createdAt'
  | 'expiresAt'
>

/**
 * The part of an approval that never changes: what people decide about, in the shape of the API.
 */
function content({
  id,
  digest,
  action,
  payload,
  decision,
  ranBefore,
  connection,
  createdAt,
  expiresAt,
}: Shown) {
  const { issuer, subject, kind, groups, owner, chain } = action.subject
  return {
    id,
    action: {
      id: action.id,
      name: action.name,
      subject: { issuer, subject, kind, groups, owner, chain },
      resource: action.resource,
      effect: action.effect,
      attributes: action.attributes,
      summary: action.summary,
      payload,
      digest,
    },
    rules: decision.rules,
    policy: decision.policy,
    risk: highestRisk(decision.requirements),
    reason: decision.reason,
    agent_reason: action.agentReason,
    ran_before: ranBefore,
    ...usageOf(action),
    impact: action.attributes['impact'] ?? null,
    scope_options: scopeOptions({ decision, connection }),
    break_glass: breakGlassOf(decision.requirements),
    created_at: createdAt.toISOString(),
    expires_at: expiresAt.toISOString(),
  }
}

/**
 * What is known about the use of data: what the action touches, what of that its subject has never
 * touched before, and the counts that it was decided by.
 */
function usageOf({ attributes, data }: Action) {
  const { first = [], ...counts } = attributes['usage'] ?? {}
  return {
    data: data ? { datasets: data.datasets, classes: data.classes } : null,
    first_use: first,
    usage: Object.keys(counts).length > 0 ? counts : null,
  }
}

/**
 * SHA-256, in hex, of everything an approver is shown. A vote names it, so that nobody approves
 * what they did not see.
 */
export function viewHash(approval: Shown): string {
  const requirements = approval.decision.requirements.map(({ rule, from, quorum }) => ({
    rule,
    from,
    quorum,
  }))
  return hashOf({ ...content(approval), requirements })
}

function shownVote({ issuer, subject, name, decision, reason, scope, channel, votedAt }: Vote) {
  return { issuer, subject, name, decision, reason, scope, channel, at: votedAt.toISOString() }
}

/** An approval as every channel shows it (contract: "An approval"). */
export function approvalView(approval: Approval, votes: readonly Vote[]): JsonObject {
  const requirements = approval.decision.requirements.map(({ rule, from, quorum }) => ({
    rule,
    from,
    quorum,
    votes: votes
      .filter((vote) => vote.decision !== 'break_glass' && isEligible(vote, from))
      .map(shownVote),
  }))
  const broken = votes.find(({ decision }) => decision === 'break_glass')
  const view = {
    ...content(approval),
    state: approval.state,
    trace: approval.action.trace,
    requirements,
    broken_glass: broken ? shownVote(broken) : null,
    view_hash: approval.viewHash,
    resolved_at: approval.resolvedAt?.toISOString() ?? null,
    resolution: approval.resolution,
    outcome: approval.outcome,
  }
  // Through JSON, which turns `Unknown` attributes into plain objects.
  return parseJson(JSON.stringify(view)) as JsonObject
}
