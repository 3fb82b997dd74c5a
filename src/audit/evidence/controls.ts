import type { QueryName } from './queries.ts'

/** A control of a framework, and what the log has to say to it. */
export interface Control {
  readonly id: string
  readonly title: string
  /** How Sallyport supports it. */
  readonly supports: string
  readonly shows: readonly QueryName[]
  /** What of it has to be shown from elsewhere. */
  readonly elsewhere: string
}

const people =
  'Who is in which group, and that group membership is reviewed: the identity provider shows that.'

const soc2: readonly Control[] = [
  {
    id: 'CC6.1',
    title: 'Logical access security',
    supports:
      'Every action of an agent on a resource behind the gateway is decided by identity and rule before it is sent. What no rule covers is denied.',
    shows: ['standing', 'approved', 'denied', 'unenforced', 'refused_credentials'],
    elsewhere: `That nothing reaches these resources around the gateway: the network shows that. ${people}`,
  },
  {
    id: 'CC6.3',
    title: 'Access by role, least privilege, and segregation of duties',
    supports:
      'Standing access is what rules allow; all other access is one action at a time, approved by people. Nobody approves an action of their own, nor one of an agent that acts for them.',
    shows: [
      'standing',
      'approved',
      'held',
      'self_approvals',
      'keys_created',
      'keys_revoked',
      'accounts',
    ],
    elsewhere: people,
  },
  {
    id: 'CC7.2',
    title: 'Monitoring for anomalies',
    supports: 'Everything that was refused is on record, with a reason code.',
    shows: [
      'denied',
      'refused_requests',
      'refused_credentials',
      'refused_votes',
      'unknown_outcomes',
      'deliveries',
    ],
    elsewhere:
      'That somebody watches this, and the rest of the system: alerts and the SIEM show that.',
  },
  {
    id: 'CC7.3',
    title: 'Evaluation of security events',
    supports:
      'Actions that one person released alone, and unknown outcomes, can each be followed up from their event.',
    shows: ['broken_glass', 'unknown_outcomes', 'self_approvals', 'policies_rejected'],
    elsewhere:
      'What was concluded from each, and what was done about it: the incident records show that.',
  },
  {
    id: 'CC8.1',
    title: 'Change management',
    supports:
      'Policies come into force as a whole version, named by its hash; each decision names the version that it was made by.',
    shows: ['policy_changes', 'policies_in_use', 'policies_rejected', 'votes'],
    elsewhere:
      'Review of changes before they were merged, and changes to the gateway itself and its configuration: the repository shows that.',
  },
]

const fedramp: readonly Control[] = [
  {
    id: 'AC-3',
    title: 'Access enforcement',
    supports: 'Every action is decided before it is sent; what no rule covers is denied.',
    shows: ['standing', 'denied', 'refused_requests', 'unenforced'],
    elsewhere: 'That nothing reaches these resources around the gateway: the network shows that.',
  },
  {
    id: 'AC-3(2)',
    title: 'Dual authorization',
    supports:
      'Held actions run once the number of people that the rule asks for has approved exactly that action.',
    shows: ['held', 'votes', 'approved', 'resolved', 'broken_glass'],
    elsewhere:
      'Which actions need dual authorization: the organization decides that, in the rules.',
  },
  {
    id: 'AC-5',
    title: 'Separation of duties',
    supports:
      'Everybody behind an action (its agent’s owner, delegates, creators of its key) is refused as its approver, administrators included.',
    shows: ['self_approvals', 'votes', 'policy_changes'],
    elsewhere: people,
  },
  {
    id: 'AC-6',
    title: 'Least privilege',
    supports: 'Standing access is shown beside access that was approved action by action.',
    shows: ['standing', 'approved', 'denied', 'keys_created', 'keys_revoked'],
    elsewhere: 'Privileges of the credentials that the gateway holds at each resource.',
  },
  {
    id: 'AU-2',
    title: 'Event logging',
    supports: 'The types of events are fixed, and all of them are logged.',
    shows: ['everything'],
    elsewhere: 'The organization’s own choice of events, and its reasons for it.',
  },
  {
    id: 'AU-3',
    title: 'Content of audit records',
    supports: 'Each event has what, when, where, who, outcome and identity; see the samples.',
    shows: ['standing', 'approved', 'denied'],
    elsewhere: 'Nothing, for what goes through the gateway.',
  },
  {
    id: 'AU-6',
    title: 'Audit record review',
    supports: 'Exports are themselves on record, with who asked.',
    shows: ['exports', 'denied', 'refused_votes', 'broken_glass'],
    elsewhere: 'That the records were reviewed, how often, and what came of it.',
  },
  {
    id: 'AU-8',
    title: 'Time stamps',
    supports:
      'Times are the database’s clock, in UTC, to the millisecond; the verifier names a clock that was set back.',
    shows: ['everything'],
    elsewhere: 'That the database’s host takes its time from an authoritative source.',
  },
  {
    id: 'AU-9',
    title: 'Protection of audit information',
    supports:
      'The log is append-only, chained and signed; the verifier’s result for this period is above.',
    shows: ['exports', 'erasures', 'retentions', 'legal_holds', 'log_keys'],
    elsewhere: 'Copies on other systems, and who administers the database.',
  },
  {
    id: 'AU-10',
    title: 'Non-repudiation',
    supports:
      'Votes and actions are bound to an authenticated identity and to the hash of the exact action.',
    shows: ['votes', 'approved', 'log_keys'],
    elsewhere: 'That identities were given to the right people: identity proofing shows that.',
  },
  {
    id: 'AU-11',
    title: 'Audit record retention',
    supports: 'The export beside this page holds all events of the period.',
    shows: ['everything', 'exports', 'deliveries', 'erasures', 'retentions', 'legal_holds'],
    elsewhere: 'How long exports are kept, and where.',
  },
  {
    id: 'AU-12',
    title: 'Audit record generation',
    supports:
      'An action runs only once its record is durable; where the log cannot be written, nothing runs.',
    shows: ['everything', 'gateways', 'unknown_outcomes'],
    elsewhere: 'Records of other components.',
  },
  {
    id: 'IA-2',
    title: 'Identification and authentication of users',
    supports:
      'People log in through the identity provider; every action has an authenticated subject.',
    shows: ['logins', 'actors', 'refused_credentials'],
    elsewhere: 'Multi-factor authentication: the identity provider shows that.',
  },
  {
    id: 'IA-5',
    title: 'Authenticator management',
    supports: 'Agent keys have an owner and an end, are shown once, and are kept as a hash.',
    shows: ['keys_created', 'keys_revoked', 'accounts', 'log_keys'],
    elsewhere: 'Passwords, tokens and other authenticators of the identity provider.',
  },
  {
    id: 'IA-9',
    title: 'Service identification and authentication',
    supports: 'Agents and services prove who they are before anything is decided.',
    shows: ['actors', 'refused_credentials'],
    elsewhere: 'How the gateway proves itself to a resource: its configuration shows that.',
  },
]

export const frameworks = {
  soc2: { title: 'SOC 2, Trust Services Criteria', controls: soc2 },
  fedramp: { title: 'FedRAMP, NIST SP 800-53 Rev. 5', controls: fedramp },
} as const

export type Framework = keyof typeof frameworks
