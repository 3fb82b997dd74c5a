import { mkdtempSync, rmSync, writeFileSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startGateway, type RunningGateway } from '../../src/app.ts'
import { loadConfig } from '../../src/config/load.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { createTestDatabase, storeKinds, type StoreKind } from './store.ts'
import { startTokenIssuer, type TokenIssuer } from './token-issuer.ts'

/** Who works at the company of these tests. */
export const people = {
  dana: ['support-leads', 'approvers', 'audit', 'platform'],
  omar: ['data-owners', 'approvers'],
  lena: ['data-owners', 'approvers'],
  priya: ['engineering', 'support-leads', 'data-owners', 'approvers'],
  noor: ['support-leads'],
} as const

export type PersonName = keyof typeof people

export interface TestGatewayOptions {
  /** The upstream of the resource `crm`. */
  readonly upstream: string
  /** Policy files, by name. */
  readonly policies: Readonly<Record<string, string>>
  /** More lines of the configuration, at its top level. */
  readonly config?: string
  /** More keys of the resource `crm`, as YAML flow members. */
  readonly resource?: string
  readonly store?: StoreKind
}

/** A whole gateway, configured as a user would: files in a folder, an identity provider, a database. */
export interface TestGateway extends RunningGateway {
  readonly issuer: TokenIssuer
  readonly folder: string
  readonly databaseUrl: string | null
  /** Everything that it logged. */
  readonly logged: () => string
  /** A token of the support agent, which Priya owns, unless the claims say otherwise. */
  agentToken(claims?: Record<string, unknown>): Promise<string>
  /** Calls the resource as the agent. */
  agent(path: string, init?: RequestInit, claims?: Record<string, unknown>): Promise<Response>
  /** Calls the control plane as a person. */
  person(name: PersonName, path: string, init?: RequestInit): Promise<Response>
  /** The one approval that is pending, once there is one. */
  pending(): Promise<PendingApproval>
  /** Votes with what the person was shown. */
  vote(
    name: PersonName,
    approval: PendingApproval,
    decision?: 'approve' | 'deny',
    more?: Record<string, unknown>,
  ): Promise<Response>
  /** Starts it again on the same files and the same store. */
  restart(): Promise<void>
}

export interface PendingApproval {
  readonly id: string
  readonly state: string
  readonly view_hash: string
  readonly action: { readonly digest: string; readonly payload: Record<string, unknown> }
  readonly [member: string]: unknown
}

export async function writeTestFolder(
  { upstream, policies, config = '', resource = '', store = storeKinds[0]! }: TestGatewayOptions,
  issuer: TokenIssuer,
): Promise<{ folder: string; file: string; databaseUrl: string | null }> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-test-'))
  mkdirSync(join(folder, 'policies'))
  for (const [name, text] of Object.entries(policies)) {
    writeFileSync(join(folder, 'policies', name), text)
  }
  const databaseUrl = store === 'postgres' ? await createTestDatabase() : null
  const file = join(folder, 'sallyport.yaml')
  writeFileSync(
    file,
    `listen:
  agents: { address: 127.0.0.1:0, wait: 5s }
  control: { address: 127.0.0.1:0 }
${databaseUrl ? `store: { url: '${databaseUrl}' }` : 'data: ./data'}
identity:
  issuers:
    - issuer: ${issuer.issuer}
      audience: sallyport
      claims: { groups: groups, owner: agent_owner, kind: kind }
  login: { issuer: ${issuer.issuer}, client_id: console, cli_client_id: cli }
  roles: { approver: { group: approvers }, auditor: { group: audit }, admin: { group: platform } }
resources:
  - name: crm
    protocol: http
    match: { prefix: /crm }
    upstream: ${upstream}
    credential: { header: Authorization, value: Bearer upstream-secret-of-the-test }
    read: ['GET /v1/**']
    ${resource}
policies: ./policies
${config}
`,
  )
  return { folder, file, databaseUrl }
}

export async function startTestGateway(options: TestGatewayOptions): Promise<TestGateway> {
  const issuer = await startTokenIssuer()
  const { folder, file, databaseUrl } = await writeTestFolder(options, issuer)
  let logged = ''
  const log = createLog('debug', { write: (line) => void (logged += line) })
  let running = await startGateway(loadConfig(file, {}), { log })

  const personToken = (name: PersonName) =>
    issuer.mint({
      sub: name,
      kind: 'human',
      client_id: 'cli',
      name,
      email: `${name}@example.com`,
      groups: people[name],
    })

  const agentToken = (claims: Record<string, unknown> = {}) =>
    issuer.mint({ sub: 'support-agent', groups: ['agents'], agent_owner: 'priya', ...claims })

  const person: TestGateway['person'] = async (name, path, init = {}) => {
    const headers = new Headers(init.headers)
    headers.set('authorization', `Bearer ${await personToken(name)}`)
    return fetch(`${running.controlUrl}${path}`, { ...init, headers })
  }

  return {
    issuer,
    folder,
    databaseUrl,
    get agentsUrl() {
      return running.agentsUrl
    },
    get controlUrl() {
      return running.controlUrl
    },
    logged: () => logged,
    agentToken,
    async agent(path, init = {}, claims = {}) {
      const headers = new Headers(init.headers)
      headers.set('authorization', `Bearer ${await agentToken(claims)}`)
      return fetch(`${running.agentsUrl}${path}`, { ...init, headers })
    },
    person,
    async pending() {
      for (;;) {
        const response = await person('dana', '/api/approvals?state=pending')
        const { approvals } = (await response.json()) as { approvals: PendingApproval[] }
        if (approvals.length > 0) return approvals[0]!
        await new Promise((resolve) => setTimeout(resolve, 20))
      }
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
    async restart() {
      await running.close()
      running = await startGateway(loadConfig(file, {}), { log })
    },
    async close() {
      await running.close()
      await issuer.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
