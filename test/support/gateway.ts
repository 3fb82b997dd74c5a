import { mkdtempSync, rmSync, writeFileSync, mkdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startGateway, type RunningGateway } from '../../src/app.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { LeaseTimes } from '../../src/store/lease.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { gatewayClient, type GatewayClient } from './gateway-client.ts'
import { createDataFolder, createTestDatabase, storeKinds, type StoreKind } from './store.ts'
import { startTokenIssuer, type TokenIssuer } from './token-issuer.ts'

export interface TestGatewayOptions {
  /** The upstream of the resource `crm`. */
  readonly upstream: string
  /** Policy files, by name. */
  readonly policies: Readonly<Record<string, string>>
  /** More lines of the configuration, at its top level. */
  readonly config?: string
  /** More keys of `identity`, one a line. */
  readonly identity?: string
  /** More keys of the resource `crm`, as YAML flow members. */
  readonly resource?: string
  /** More resources, as items of the list. */
  readonly resources?: string
  readonly store?: StoreKind
  /** A database of the test's own. */
  readonly databaseUrl?: string
  /** A data folder of the test's own, for the embedded store. */
  readonly data?: string
  readonly times?: LeaseTimes
}

/** A whole gateway, configured as a user would: files in a folder, an identity provider, a database. */
export interface TestGateway extends RunningGateway, GatewayClient {
  readonly issuer: TokenIssuer
  readonly folder: string
  readonly databaseUrl: string | null
  /** Everything that it logged. */
  readonly logged: () => string
  /** Starts it again on the same store and the same files, which can be changed meanwhile. */
  restart(meanwhile?: () => void): Promise<void>
}

export async function writeTestFolder(
  {
    upstream,
    policies,
    config = '',
    identity = '',
    resource = '',
    resources = '',
    store = storeKinds[0]!,
    ...more
  }: TestGatewayOptions,
  issuer: TokenIssuer,
): Promise<{ folder: string; file: string; databaseUrl: string | null }> {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-test-'))
  mkdirSync(join(folder, 'policies'))
  for (const [name, text] of Object.entries(policies)) {
    writeFileSync(join(folder, 'policies', name), text)
  }
  const databaseUrl = more.databaseUrl ?? (store === 'postgres' ? await createTestDatabase() : null)
  const file = join(folder, 'sallyport.yaml')
  writeFileSync(
    file,
    `listen:
  agents: { address: 127.0.0.1:0, wait: 5s }
  control: { address: 127.0.0.1:0 }
${databaseUrl ? `store: { url: '${databaseUrl}' }` : `data: ${more.data ?? (await createDataFolder())}`}
identity:
  issuers:
    - issuer: ${issuer.issuer}
      audience: sallyport
      claims: { groups: groups, owner: agent_owner, kind: kind }
  login: { issuer: ${issuer.issuer}, client_id: console, cli_client_id: cli }
  roles: { approver: { group: approvers }, auditor: { group: audit }, admin: { group: platform } }
  ${identity}
resources:
  - name: crm
    protocol: http
    match: { prefix: /crm }
    upstream: ${upstream}
    credential: { header: Authorization, value: Bearer upstream-secret-of-the-test }
    read: ['GET /v1/**']
    ${resource}
${resources}
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
  const start = () =>
    startGateway(loadConfig(file, {}), { log, ...(options.times && { times: options.times }) })
  let running = await start()

  return {
    ...gatewayClient(issuer, () => running),
    issuer,
    folder,
    databaseUrl,
    get agentsUrl() {
      return running.agentsUrl
    },
    get controlUrl() {
      return running.controlUrl
    },
    get databasePorts() {
      return running.databasePorts
    },
    logged: () => logged,
    async restart(meanwhile) {
      await running.close()
      meanwhile?.()
      running = await start()
    },
    async close() {
      await running.close()
      await issuer.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
