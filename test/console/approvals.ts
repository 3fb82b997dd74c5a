import type { Approval, ShownVote } from '../../src/console/ui/api/types.ts'

const issuer = 'https://idp.example.com'

/** An approval as the gateway sends it, with what a test is about put in. */
export function approval(changes: Partial<Approval> = {}): Approval {
  return {
    id: '0199f000-0000-7000-8000-000000000001',
    state: 'pending',
    action: {
      id: '0199f000-0000-7000-8000-000000000002',
      name: 'http.request',
      subject: {
        issuer,
        subject: 'support-agent',
        kind: 'agent',
        groups: ['agents'],
        owner: { issuer, subject: 'priya' },
        chain: [],
      },
      resource: 'crm',
      effect: 'write',
      attributes: { http: { method: 'DELETE', path: '/v1/customers/42', query: { hard: 'yes' } } },
      summary: 'DELETE /v1/customers/42',
      payload: { method: 'DELETE', target: '/v1/customers/42', headers: [], body: null },
      digest: '9f'.repeat(32),
    },
    rules: ['deletes-need-approval'],
    policy: 'ab'.repeat(32),
    risk: 'high',
    reason: 'rule-held',
    agent_reason: null,
    impact: null,
    ran_before: null,
    scope_options: ['once'],
    break_glass: [],
    requirements: [
      { rule: 'deletes-need-approval', from: { group: 'approvers' }, quorum: 2, votes: [] },
    ],
    broken_glass: null,
    view_hash: '77'.repeat(32),
    trace: null,
    created_at: '2026-11-21T12:00:00.000Z',
    expires_at: '2026-11-21T12:15:00.000Z',
    resolved_at: null,
    resolution: null,
    outcome: null,
    ...changes,
  }
}

export function vote(changes: Partial<ShownVote> = {}): ShownVote {
  return {
    issuer,
    subject: 'dana',
    name: 'Dana Okafor',
    decision: 'approve',
    reason: null,
    channel: 'console',
    at: '2026-11-21T12:01:00.000Z',
    ...changes,
  }
}

/** The same approval with these votes on its only requirement. */
export function votedOn(it: Approval, votes: readonly ShownVote[]): Approval {
  return { ...it, requirements: it.requirements.map((one) => ({ ...one, votes })) }
}
