import { startGateway } from '../app.ts'
import { loadConfig } from '../config/load.ts'
import { startDemoApi } from '../quickstart/demo-api.ts'
import { startDemoDatabase } from '../quickstart/demo-database.ts'
import { startIdentityProvider } from '../quickstart/identity-provider.ts'
import { createLog } from '../telemetry/log.ts'
import { consolePages } from './console-pages.ts'
import { writeCredentials, type DemoAgent } from './demo-credentials.ts'
import { quickstartConfig } from './policy-source.ts'

export interface QuickstartPorts {
  readonly agents: number
  readonly control: number
  /** Where agents find the database. */
  readonly database: number
  /** Part of everybody's identity, so it stays the same from one start to the next. */
  readonly identity: number
}

export interface RunningQuickstart {
  readonly agentsUrl: string
  readonly controlUrl: string
  readonly databasePort: number
  readonly agent: DemoAgent
  close(): Promise<void>
}

/** The gateway as `examples/quickstart/sallyport.yaml` describes it, and what it stands between. */
export async function startQuickstart(
  data: string,
  ports: QuickstartPorts,
): Promise<RunningQuickstart> {
  await using opened = new AsyncDisposableStack()
  const log = createLog('warn')
  const api = opened.adopt(await startDemoApi({ port: 0 }), (it) => it.close())
  const database = opened.adopt(await startDemoDatabase({ port: 0 }), (it) => it.close())
  const provider = opened.adopt(
    await startIdentityProvider({ port: ports.identity, dataDir: data, log }),
    (it) => it.close(),
  )
  const config = loadConfig(quickstartConfig, {
    AGENTS_PORT: String(ports.agents),
    CONTROL_PORT: String(ports.control),
    DATA: data,
    ISSUER: provider.issuer,
    CONSOLE_SECRET: provider.console.clientSecret,
    API: api.url,
    API_TOKEN: api.token,
    ORDERS_PORT: String(ports.database),
    DATABASE_PORT: String(database.port),
    DATABASE_PASSWORD: database.password,
    LOG_LEVEL: log.level,
  })
  const gateway = opened.adopt(await startGateway(config, { log, pages: consolePages() }), (it) =>
    it.close(),
  )
  const agent = await writeCredentials(data, gateway.controlUrl, provider)
  const running = opened.move()
  const { agentsUrl, controlUrl, databasePorts } = gateway
  const databasePort = databasePorts['orders-db']!
  return { agentsUrl, controlUrl, databasePort, agent, close: () => running.disposeAsync() }
}
