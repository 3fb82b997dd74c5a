import { cpSync, readFileSync, writeFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'
import { startGateway } from '../../src/app.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { Approval } from '../../src/console/ui/api/types.ts'
import { startDemoApi, type DemoApi } from '../../src/quickstart/demo-api.ts'
import type { DemoDatabase } from '../../src/quickstart/demo-database.ts'
import { startIdentityProvider } from '../../src/quickstart/identity-provider.ts'
import { createLog } from '../../src/telemetry/log.ts'

const file = (path: string) => fileURLToPath(new URL(`../../${path}`, import.meta.url))

const quickstart = file('examples/quickstart/sallyport.yaml')

/** The quickstart's configuration with more in it. */
function configured(
  folder: string,
  { resources, rules }: NonNullable<DemoOptions['more']>,
): string {
  const path = join(folder, 'sallyport.yaml')
  const text = readFileSync(quickstart, 'utf8')
    .replace('resources:\n', `resources:\n${resources}`)
    .replace('../../policies', './policies')
  writeFileSync(path, text)
  cpSync(file('policies'), join(folder, 'policies'), { recursive: true })
  writeFileSync(join(folder, 'policies', 'more.yaml'), rules)
  return path
}

/** The quickstart's company with a gateway before its API, and the console as it is in `src` now. */
export interface DemoCompany {
  readonly consoleUrl: string
  readonly agentsUrl: string
  /** Where agents reach the orders. */
  readonly databasePort: number
  /** Of its support agent. */
  readonly token: string
  readonly api: DemoApi
  /** Calls the API through the gateway, as its support agent, and waits for people for as long as the test runs. */
  agent(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>
  stopGateway(): Promise<void>
  /** On the same store, and at the same address. */
  startGatewayAgain(): Promise<void>
  /** Denies whatever waits still, so that one test leaves nothing to the next. */
  denyAll(): Promise<void>
  close(): Promise<void>
}

export interface DemoOptions {
  /** Room for so many approvals of one agent. */
  readonly holds?: number
  /** Without one, nobody asks the database. */
  readonly database?: DemoDatabase
  /** In YAML: resources besides the quickstart's, and rules about them. */
  readonly more?: { readonly resources: string; readonly rules: string }
}

export async function startDemoCompany({
  holds = 100,
  database,
  more,
}: DemoOptions = {}): Promise<DemoCompany> {
  await using opened = new AsyncDisposableStack()
  const folder = opened.adopt(await mkdtemp(join(tmpdir(), 'sallyport-console-')), (it) =>
    rm(it, { recursive: true, force: true }),
  )
  const pages = join(folder, 'console')
  await build({
    root: file('src/console/ui'),
    logLevel: 'error',
    build: { outDir: pages, emptyOutDir: true },
  })

  const log = createLog('error')
  const api = opened.adopt(await startDemoApi({ port: 0 }), (it) => it.close())
  const idp = opened.adopt(await startIdentityProvider({ port: 0, dataDir: folder, log }), (it) =>
    it.close(),
  )
  const loaded = loadConfig(more ? configured(folder, more) : quickstart, {
    AGENTS_PORT: '0',
    CONTROL_PORT: '0',
    DATA: folder,
    ISSUER: idp.issuer,
    CONSOLE_SECRET: idp.console.clientSecret,
    API: api.url,
    API_TOKEN: api.token,
    ORDERS_PORT: '0',
    DATABASE_PORT: String(database?.port ?? 9),
    DATABASE_PASSWORD: database?.password ?? 'nobody asks the database here',
    LOG_LEVEL: 'error',
  })
  const config = {
    ...loaded,
    hold: { ...loaded.hold, max_per_subject: holds, max_per_hour: holds },
  }
  let gateway = await startGateway(config, { log, pages })
  opened.defer(() => gateway.close())
  const token = await idp.agentToken('support-agent')

  async function deny(name: string): Promise<void> {
    const authorization = `Bearer ${await idp.personToken(name)}`
    const url = `${gateway.controlUrl}/api/approvals`
    const answer = await fetch(`${url}?state=pending`, { headers: { authorization } })
    const { approvals } = (await answer.json()) as { approvals: Approval[] }
    for (const { id, view_hash, action } of approvals) {
      await fetch(`${url}/${id}/votes`, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json' },
        body: JSON.stringify({ decision: 'deny', digest: action.digest, view_hash }),
      })
    }
  }

  const running = opened.move()
  return {
    agentsUrl: gateway.agentsUrl,
    databasePort: gateway.databasePorts['orders-db']!,
    token,
    consoleUrl: gateway.controlUrl,
    stopGateway: () => gateway.close(),
    async startGatewayAgain() {
      const { hostname: host, port } = new URL(gateway.controlUrl)
      const control = { ...config.listen.control, address: { host, port: Number(port) } }
      gateway = await startGateway(
        { ...config, listen: { ...config.listen, control } },
        { log, pages },
      )
    },
    api,
    agent: (path, body, headers = {}) =>
      fetch(`${gateway.agentsUrl}/crm${path}`, {
        method: 'POST',
        headers: {
          authorization: `Bearer ${token}`,
          'content-type': 'application/json',
          prefer: 'wait=120',
          ...headers,
        },
        body: JSON.stringify(body),
      }),
    denyAll: async () => {
      await deny('dana')
      await deny('omar')
    },
    close: () => running.disposeAsync(),
  }
}
