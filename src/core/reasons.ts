/**
 * Reason codes of decisions for which no rule gives its own. They are stable, because dashboards
 * and SIEM rules rely on them.
 */
export const decisionReasons = {
  'rule-allowed': 'An allow rule covers everything that this action touches.',
  'rule-denied': 'A deny rule matches.',
  'rule-held': 'A hold rule matches; people have to approve.',
  'no-rule-matched': 'No rule covers this action, and what no rule covers is denied.',
  'condition-failed':
    'The condition of a hold or deny rule could not be evaluated, so the action is denied.',
  'role-allowed':
    'This is done to the gateway itself, by somebody whose role includes it, and no rule asks for more.',
  'owner-unknown':
    'This would need an approval, and the agent has no known human owner, so nobody can be ruled out as its own approver.',
} as const

export type DecisionReason = keyof typeof decisionReasons

/**
 * Problem codes, which clients see as `https://sallyport.dev/problems/<code>` (RFC 9457), each with
 * its HTTP status. A decision never has the status 408, 409, 429 or 5xx, because SDKs retry those
 * blindly.
 */
export const problems = {
  unauthenticated: { status: 401, title: 'A valid credential is needed' },
  'no-resource': { status: 404, title: 'No resource is configured here' },
  'not-found': { status: 404, title: 'There is no such thing, or it is not yours' },
  denied: { status: 403, title: 'Denied by policy' },
  'approval-pending': { status: 403, title: 'Waiting for approval' },
  'approval-denied': { status: 403, title: 'An approver said no' },
  'approval-expired': { status: 403, title: 'The approval expired' },
  'approval-cancelled': { status: 403, title: 'The approval was cancelled' },
  'approval-invalidated': { status: 403, title: 'The approval is no longer valid' },
  'approval-used': { status: 403, title: 'The approval has been used' },
  'approval-mismatch': { status: 403, title: 'The approval is for another action' },
  'response-pending': { status: 404, title: 'There is no response yet' },
  'response-gone': { status: 410, title: 'There is no response any more' },
  'too-many-holds': { status: 403, title: 'Too many actions are waiting for approval' },
  'too-many-connections': { status: 403, title: 'Too many connections are open' },
  'hold-rate-exceeded': {
    status: 403,
    title: 'Too many approvals were asked for within an hour',
  },
  'body-too-large': { status: 413, title: 'The body is too large to be held' },
  'ambiguous-request': { status: 400, title: 'The request can be read in more than one way' },
  'bad-request': { status: 400, title: 'The request is not valid' },
  'upstream-unreachable': { status: 502, title: 'The upstream cannot be reached' },
  'upstream-timeout': { status: 504, title: 'The upstream is too slow' },
  'store-unavailable': { status: 503, title: 'The audit store is not available, so nothing runs' },
  'policies-changed': {
    status: 503,
    title: 'Other policies came into force, and this is not decided by them yet',
  },
  'self-approval': { status: 403, title: 'Nobody approves their own action' },
  'not-eligible': { status: 403, title: 'You are not among the eligible approvers' },
  forbidden: { status: 403, title: 'Your role does not include this' },
  'csrf-failed': { status: 403, title: 'The request did not come from this console' },
  'too-many-requests': { status: 429, title: 'Too many tries; wait a little' },
  'already-resolved': { status: 409, title: 'This has been decided already' },
  'view-changed': { status: 409, title: 'What you saw is not what would run' },
  'internal-error': { status: 500, title: 'Sallyport failed, and forwarded nothing' },
} as const

export type ProblemCode = keyof typeof problems
