import type { ApprovalState } from '../../../approvals/machine.ts'
import { decisionReasons } from '../../../core/reasons.ts'
import type { FailureCode } from '../api/call.ts'
import type { EventType, Outcome } from '../../../core/event.ts'
import { count } from './count.ts'

export type Tone = 'waiting' | 'good' | 'bad' | 'quiet' | 'alarm'

/** What a state means to people. */
export const states: Readonly<Record<ApprovalState, { word: string; tone: Tone; says: string }>> = {
  pending: { word: 'Waiting', tone: 'waiting', says: 'It waits for people.' },
  approved: {
    word: 'Approved',
    tone: 'good',
    says: 'It has not run yet: it runs once, when the agent waits for it or sends it again.',
  },
  dispatching: { word: 'Running', tone: 'waiting', says: 'It is being sent.' },
  succeeded: { word: 'Done', tone: 'good', says: 'It was approved, and ran once.' },
  failed: {
    word: 'Failed',
    tone: 'bad',
    says: 'It was approved and sent, and the upstream did not do it.',
  },
  unknown: {
    word: 'Outcome unknown',
    tone: 'alarm',
    says: 'It was sent, or part of it, and nobody can tell what became of it. It is never tried again by itself.',
  },
  denied: { word: 'Denied', tone: 'bad', says: 'An approver said no. It did not run.' },
  expired: { word: 'Expired', tone: 'quiet', says: 'Nobody approved it in time. It did not run.' },
  cancelled: { word: 'Cancelled', tone: 'quiet', says: 'It was taken back. It did not run.' },
  invalidated: {
    word: 'Invalidated',
    tone: 'quiet',
    says: 'What it rested on has changed since. It did not run.',
  },
}

/** `HTTP 204 · 12 bytes · 35 ms`: what the upstream did, as far as it is known. */
export function outcomeInWords({ status, rows, bytes, duration_ms, error }: Outcome): string {
  return [
    error,
    status !== undefined && `HTTP ${status}`,
    rows !== undefined && count(rows, 'row'),
    bytes !== undefined && count(bytes, 'byte'),
    duration_ms !== undefined && `${Math.round(duration_ms)} ms`,
  ]
    .filter((part) => typeof part === 'string')
    .join(' · ')
}

/** Why it is held: the sentence for a reason code of ours; a rule's own code speaks for itself. */
export function reasonInWords(code: string): string | null {
  return Object.hasOwn(decisionReasons, code)
    ? decisionReasons[code as keyof typeof decisionReasons]
    : null
}

interface FailureWords {
  readonly title: string
  readonly advice: string
  /** The gateway's own words add something: who decided, or whose approval it is. */
  readonly namesNames?: true
}

/** What went wrong, and what to do now; where there is nothing here, the gateway's own words do. */
export const failures: Partial<Readonly<Record<FailureCode, FailureWords>>> = {
  'self-approval': {
    title: 'This is your own action',
    advice:
      'You asked for it, acted in it, or own the agent that did. Somebody else has to decide.',
  },
  'not-eligible': {
    title: 'You are not among its approvers',
    advice: 'The rule names who decides; ask one of them.',
    namesNames: true,
  },
  'already-resolved': {
    title: 'This has been decided already',
    advice: 'Your vote changed nothing.',
    namesNames: true,
  },
  'view-changed': {
    title: 'What you saw is not what would run',
    advice: 'Nothing was approved. It is shown anew: look at it again.',
  },
  'too-many-requests': {
    title: 'That was too fast',
    advice: 'Nothing was sent. Try again in a minute.',
  },
  'csrf-failed': {
    title: 'This page is out of date',
    advice: 'Nothing was sent. Reload it, and vote again.',
  },
  unauthenticated: { title: 'Your login has ended', advice: 'Nothing was sent. Log in again.' },
  forbidden: {
    title: 'Your role does not include this',
    advice: 'Roles follow from groups of your identity provider. Ask whoever looks after them.',
    namesNames: true,
  },
  'not-found': {
    title: 'It is not here',
    advice: 'The link may be incomplete, old, or for another gateway; or it is not for you to see.',
  },
  'store-unavailable': {
    title: 'The audit store is not available',
    advice: 'While it is away nothing runs, and nothing can be decided. Try again in a moment.',
  },
  unreachable: {
    title: 'The gateway does not answer',
    advice: 'Check your connection. What you sent last may or may not have arrived.',
  },
}

/** What was decided about an action. */
export function decisionInWords(
  decision: 'allow' | 'deny' | 'hold',
  enforced: boolean,
): { title: string; tone: Tone } {
  if (!enforced) {
    const word = decision === 'deny' ? 'denied' : 'held'
    return { title: `Would have been ${word}`, tone: 'quiet' }
  }
  return {
    allow: { title: 'Allowed', tone: 'good' as const },
    deny: { title: 'Denied', tone: 'bad' as const },
    hold: { title: 'Held', tone: 'waiting' as const },
  }[decision]
}

const events: Readonly<Record<EventType, { title: string; tone: Tone }>> = {
  'action.decided': { title: 'Decided', tone: 'quiet' },
  'action.dispatched': { title: 'Sent to the upstream', tone: 'quiet' },
  'action.completed': { title: 'Ran', tone: 'quiet' },
  'approval.requested': { title: 'Asked for approval', tone: 'waiting' },
  'approval.voted': { title: 'Voted to approve', tone: 'good' },
  'approval.vote_refused': { title: 'A vote was refused', tone: 'bad' },
  'approval.broken_glass': { title: 'Glass broken', tone: 'alarm' },
  'approval.resolved': { title: 'Decided', tone: 'quiet' },
  'approval.granted': { title: 'Granted for a time', tone: 'good' },
  'response.delivered': { title: 'Answer fetched', tone: 'quiet' },
  'policy.activated': { title: 'Policies in force', tone: 'quiet' },
  'policy.loaded': { title: 'Policies loaded', tone: 'quiet' },
  'policy.rejected': { title: 'Policies refused', tone: 'bad' },
  'identity.activated': { title: 'Roles and issuers in force', tone: 'quiet' },
  'identity.refused': { title: 'Credential refused', tone: 'bad' },
  'request.refused': { title: 'Request refused', tone: 'bad' },
  'identity.login': { title: 'Logged in', tone: 'quiet' },
  'identity.logout': { title: 'Logged out', tone: 'quiet' },
  'identity.key_created': { title: 'Key created', tone: 'quiet' },
  'identity.key_revoked': { title: 'Key revoked', tone: 'bad' },
  'identity.session_revoked': { title: 'Session ended by its issuer', tone: 'bad' },
  'identity.account_disabled': { title: 'Account disabled', tone: 'bad' },
  'identity.account_enabled': { title: 'Account enabled again', tone: 'quiet' },
  'identity.linked': { title: 'Chat account linked', tone: 'quiet' },
  'identity.unlinked': { title: 'Chat account unlinked', tone: 'quiet' },
  'audit.erased': { title: 'Personal data erased', tone: 'alarm' },
  'audit.retained': { title: 'Month kept elsewhere', tone: 'quiet' },
  'audit.legal_hold_created': { title: 'Legal hold created', tone: 'quiet' },
  'audit.legal_hold_released': { title: 'Legal hold released', tone: 'alarm' },
  'audit.exported': { title: 'Log exported', tone: 'quiet' },
  'audit.delivery_configured': { title: 'Log delivered elsewhere', tone: 'quiet' },
  'audit.signing_key_used': { title: 'Signing key in use', tone: 'quiet' },
  'secrets.rotated': { title: 'Secrets rotated', tone: 'quiet' },
  'gateway.started': { title: 'Gateway started', tone: 'quiet' },
  'gateway.stopped': { title: 'Gateway stopped', tone: 'quiet' },
}

export const eventTypes = Object.keys(events) as readonly EventType[]

/** The log may have types in it that a newer version wrote. */
export function eventInWords(type: string): { title: string; tone: Tone } {
  return Object.hasOwn(events, type) ? events[type as EventType] : { title: type, tone: 'quiet' }
}
