import type { EvidenceEvent } from './event.ts'

/** A question to the log: which events, and by what they are counted. */
export interface Query {
  readonly title: string
  readonly match: (event: EvidenceEvent) => boolean
  readonly by: (event: EvidenceEvent) => string
  /**
   * A search whose results have all of these events, where there is one: parameters of
   * `GET /api/audit/events`.
   */
  readonly search?: Readonly<Record<string, string>>
}

const decided = (verdict: string) => (event: EvidenceEvent) =>
  event.type === 'action.decided' && event.decision === verdict && event.enforced !== false

const ofType =
  (...types: string[]) =>
  ({ type }: EvidenceEvent) =>
    types.includes(type)

const type = ({ type: name }: EvidenceEvent) => name
const resource = ({ resource: name = 'none' }: EvidenceEvent) => name
const reason = ({ reason: code = 'none' }: EvidenceEvent) => code
const policy = ({ policy: hash = 'none' }: EvidenceEvent) => hash
const who = ({ subject }: EvidenceEvent) =>
  subject ? `${subject.issuer} ${subject.subject}` : 'the gateway, or erased'
const detail = (name: string) => (event: EvidenceEvent) => {
  const value = event.details?.[name]
  return typeof value === 'string' ? value : 'erased'
}

/** By name; the name stands in the report, and so is stable. */
export const queries = {
  everything: {
    title: 'All events, by type',
    // Of what is kept elsewhere only hashes are there.
    match: ({ type: name }) => name !== '',
    by: type,
  },
  standing: {
    title:
      'Standing access: actions that ran because a rule (or, on the gateway itself, a role) allows them, by resource',
    match: decided('allow'),
    by: resource,
    search: { type: 'action.decided', decision: 'allow' },
  },
  held: {
    title: 'Actions that were held for people to approve, by resource',
    match: decided('hold'),
    by: resource,
    search: { type: 'action.decided', decision: 'hold' },
  },
  approved: {
    title: 'Approved access: actions that ran because people approved them, by resource',
    match: ofType('action.dispatched'),
    by: resource,
    search: { type: 'action.dispatched' },
  },
  denied: {
    title: 'Actions that were denied, by reason',
    match: decided('deny'),
    by: reason,
    search: { type: 'action.decided', decision: 'deny' },
  },
  refused_requests: {
    title: 'Requests that were refused before a policy was asked, by reason',
    match: ofType('request.refused'),
    by: reason,
    search: { type: 'request.refused' },
  },
  unenforced: {
    title: 'Actions that ran although a rule denies or holds them (mode: observe), by resource',
    match: ({ enforced }) => enforced === false,
    by: resource,
  },
  actors: {
    title: 'Who acted, by kind',
    match: ofType('action.decided'),
    by: ({ subject_kind: kind = 'none' }) => kind,
    search: { type: 'action.decided' },
  },
  unknown_outcomes: {
    title: 'Actions whose outcome is unknown, by resource',
    match: ({ type: name, outcome }) =>
      name === 'action.completed' && outcome?.result === 'unknown',
    by: resource,
  },
  votes: {
    title: 'Votes that counted, by decision',
    match: ofType('approval.voted'),
    by: detail('vote'),
    search: { type: 'approval.voted' },
  },
  self_approvals: {
    title:
      'Rejected self-approvals: people who tried to approve an action of their own or of their agent',
    match: (event) => event.type === 'approval.vote_refused' && event.reason === 'self-approval',
    by: who,
    search: { type: 'approval.vote_refused', reason: 'self-approval' },
  },
  refused_votes: {
    title: 'Other votes that were refused, by reason',
    match: (event) => event.type === 'approval.vote_refused' && event.reason !== 'self-approval',
    by: reason,
    search: { type: 'approval.vote_refused' },
  },
  broken_glass: {
    title: 'Actions that one person released alone in an emergency, by person',
    match: ofType('approval.broken_glass'),
    by: who,
    search: { type: 'approval.broken_glass' },
  },
  resolved: {
    title: 'How approvals ended, by state',
    match: ofType('approval.resolved'),
    by: detail('state'),
    search: { type: 'approval.resolved' },
  },
  policy_changes: {
    title: 'Policies that came into force, by version (SHA-256) and who put it there',
    match: ofType('policy.activated'),
    by: (event) => `${policy(event)} by ${who(event)}`,
    search: { type: 'policy.activated' },
  },
  policies_in_use: {
    title: 'Versions of the policies that decided, by SHA-256',
    match: ofType('action.decided'),
    by: policy,
  },
  policies_rejected: {
    title: 'Policies that were rejected because of mistakes in them',
    match: ofType('policy.rejected'),
    by: type,
    search: { type: 'policy.rejected' },
  },
  refused_credentials: {
    title: 'Credentials that were refused, by reason',
    match: ofType('identity.refused'),
    by: reason,
    search: { type: 'identity.refused' },
  },
  logins: {
    title: 'Logins of people, by person',
    match: ofType('identity.login'),
    by: who,
    search: { type: 'identity.login' },
  },
  keys_created: {
    title: 'Agent keys that were created, by who created them',
    match: ofType('identity.key_created'),
    by: who,
    search: { type: 'identity.key_created' },
  },
  keys_revoked: {
    title: 'Agent keys that were revoked, by who revoked them',
    match: ofType('identity.key_revoked'),
    by: who,
    search: { type: 'identity.key_revoked' },
  },
  accounts: {
    title: 'Accounts disabled or enabled, sessions revoked, and chat accounts linked, by type',
    match: ofType(
      'identity.account_disabled',
      'identity.account_enabled',
      'identity.session_revoked',
      'identity.linked',
      'identity.unlinked',
    ),
    by: type,
  },
  exports: {
    title: 'Exports of the log, by who asked',
    match: ofType('audit.exported'),
    by: who,
    search: { type: 'audit.exported' },
  },
  deliveries: {
    title: 'Places that the log is delivered to, new and changed, by where',
    match: ofType('audit.delivery_configured'),
    by: detail('to'),
    search: { type: 'audit.delivery_configured' },
  },
  erasures: {
    title: 'Erasures of personal data, by their reason',
    match: ofType('audit.erased'),
    by: detail('reason'),
    search: { type: 'audit.erased' },
  },
  retentions: {
    title: 'Months that were taken out of the database, by who said where they are kept',
    match: ofType('audit.retained'),
    by: who,
    search: { type: 'audit.retained' },
  },
  legal_holds: {
    title: 'Legal holds that began and ended, by type',
    match: ofType('audit.legal_hold_created', 'audit.legal_hold_released'),
    by: type,
  },
  log_keys: {
    title: 'Keys that began to sign the log, and secrets that were rotated, by type',
    match: ofType('audit.signing_key_used', 'secrets.rotated'),
    by: type,
  },
  gateways: {
    title: 'Starts and ends of gateways, by type',
    match: ofType('gateway.started', 'gateway.stopped'),
    by: type,
  },
} as const satisfies Record<string, Query>

export type QueryName = keyof typeof queries
