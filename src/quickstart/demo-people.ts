/**
 * The people and agents of the demo's company. Passwords they have none: whoever sits at this
 * machine may be any of them.
 */

export interface DemoPerson {
  readonly id: string
  readonly name: string
  readonly email: string
  /** What they are here for, on the login page. */
  readonly job: string
  readonly groups: readonly string[]
}

export const demoPeople: readonly DemoPerson[] = [
  {
    id: 'dana',
    name: 'Dana Okafor',
    email: 'dana@example.com',
    job: 'Support lead. Approves refunds; reads the audit log; manages keys.',
    groups: ['support-leads', 'approvers', 'audit', 'platform'],
  },
  {
    id: 'omar',
    name: 'Omar Haddad',
    email: 'omar@example.com',
    job: 'Data owner. Approves exports of personal data, together with Lena.',
    groups: ['data-owners', 'approvers'],
  },
  {
    id: 'lena',
    name: 'Lena Fischer',
    email: 'lena@example.com',
    job: 'Data owner. Approves exports of personal data, together with Omar.',
    groups: ['data-owners', 'approvers'],
  },
  {
    id: 'priya',
    name: 'Priya Raman',
    email: 'priya@example.com',
    job: 'Engineer. Owns the support agent, so she can never approve what it asks for.',
    groups: ['engineering', 'support-leads', 'data-owners', 'approvers'],
  },
]

export interface DemoAgent {
  readonly id: string
  readonly groups: readonly string[]
  /**
   * Id of the person who answers for it; `null` for one that nobody does: it can be allowed or
   * denied, and never approved.
   */
  readonly owner: string | null
}

export const demoAgents: readonly DemoAgent[] = [
  { id: 'support-agent', groups: ['agents'], owner: 'priya' },
  { id: 'stray-agent', groups: ['agents'], owner: null },
]

/** What an ID token and an access token say about a person. */
export function claimsOfPerson({ name, email, id, groups }: DemoPerson): Record<string, unknown> {
  return { name, email, preferred_username: id, groups }
}

/** What an access token says about an agent. */
export function claimsOfAgent({ groups, owner }: DemoAgent): Record<string, unknown> {
  return { kind: 'agent', groups, ...(owner !== null && { agent_owner: owner }) }
}
