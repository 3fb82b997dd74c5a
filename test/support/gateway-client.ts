import type { TokenIssuer } from './token-issuer.ts'

/** Who works at the company of these tests. */
const people = {
  dana: ['support-leads', 'approvers', 'audit', 'platform'],
  omar: ['data-owners', 'approvers'],
  lena: ['data-owners', 'approvers'],
  priya: ['engineering', 'support-leads', 'data-owners', 'approvers'],
  noor: ['support-leads'],
} as const

export type PersonName = keyof typeof people

export interface PendingApproval {
  readonly id: string
  readonly state: string
  readonly view_hash: string
  readonly action: { readonly digest: string; readonly payload: Record<string, unknown> }
  readonly [member: string]: unknown
}

/** What agents and people do with a gateway. */
export interface GatewayClient {
  /** A token of the support agent, which Priya owns, unless the claims say otherwise. */
  agentToken(claims?: Record<string, unknown>): Promise<string>
  /** Calls the resource as the agent. */
  agent(path: string, init?: RequestInit, claims?: Record<string, unknown>): Promise<Response>
  /** A person's own token, as `sallyport login` gets it. */
  personToken(name: PersonName, claims?: Record<string, unknown>): Promise<string>
  /** Calls the control plane as a person. */
  person(name: PersonName, path: string, init?: RequestInit): Promise<Response>
  /** The one approval that is pending, once there is one. */
  pending(): Promise<PendingApproval>
  /** An approval as it is now. */
  approval(id: string): Promise<PendingApproval>
  /** Votes with what the person was shown. */
  vote(
    name: PersonName,
    approval: PendingApproval,
    decision?: 'approve' | 'deny',
    more?: Record<string, unknown>,
  ): Promise<Response>
  /** The whole audit log, as an auditor exports it: NDJSON, one event a line. */
  auditLog(): Promise<string[]>
}

interface Addresses {
  readonly agentsUrl: string
  readonly controlUrl: string
}

/** `addresses` is asked for each call, since a gateway that was started again may have others. */
export function gatewayClient(issuer: TokenIssuer, addresses: () => Addresses): GatewayClient {
  const personToken: GatewayClient['personToken'] = (name, claims = {}) =>
    issuer.mint({
      sub: name,
      kind: 'human',
      client_id: 'cli',
      name,
      email: `${name}@example.com`,
      groups: people[name],
      ...claims,
    })

  const agentToken: GatewayClient['agentToken'] = (claims = {}) =>
    issuer.mint({ sub: 'support-agent', groups: ['agents'], agent_owner: 'priya', ...claims })

  const person: GatewayClient['person'] = async (name, path, init = {}) => {
    const headers = new Headers(init.headers)
    headers.set('authorization', `Bearer ${await personToken(name)}`)
    return fetch(`${addresses().controlUrl}${path}`, { ...init, headers })
  }

  return {
    agentToken,
    personToken,
    person,
    async agent(path, init = {}, claims = {}) {
      const headers = new Headers(init.headers)
      headers.set('authorization', `Bearer ${await agentToken(claims)}`)
      return fetch(`${addresses().agentsUrl}${path}`, { ...init, headers })
    },
    async pending() {
      for (;;) {
        const response = await person('dana', '/api/approvals?state=pending')
        const { approvals } = (await response.json()) as { approvals: PendingApproval[] }
        if (approvals.length > 0) return approvals[0]!
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
    },
    async approval(id) {
      const response = await person('dana', `/api/approvals/${id}`)
      return (await response.json()) as PendingApproval
    },
    vote(name, approval, decision = 'approve', more = {}) {
      return person(name, `/api/approvals/${approval.id}/votes`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({
          decision,
          digest: approval.action.digest,
          view_hash: approval.view_hash,
          ...more,
        }),
      })
    },
    async auditLog() {
      const response = await person('dana', '/api/audit/export?format=ndjson')
      return (await response.text()).trimEnd().split('\n')
    },
  }
}
