import { startDemoApi } from '../quickstart/demo-api.ts'
import { startDemoDatabase } from '../quickstart/demo-database.ts'
import { startIdentityProvider } from '../quickstart/identity-provider.ts'
import { createLog } from '../telemetry/log.ts'
import { writeCredentials, type DemoAgent } from './demo-credentials.ts'

export interface DemoOptions {
  readonly data: string
  readonly apiPort: number
  readonly databasePort: number
  readonly identityPort: number
  /** Where the identity provider listens; it calls itself 127.0.0.1. */
  readonly identityHost: string
  /** How people reach the gateway's control plane. */
  readonly controlUrl: string
  /** What the gateway presents to the API, to the database, and to the identity provider. */
  readonly apiToken: string
  readonly databasePassword: string
  readonly consoleSecret: string
}

interface RunningDemo {
  readonly agent: DemoAgent
  close(): Promise<void>
}

/** What the quickstart has around its gateway, for a gateway that runs elsewhere. */
export async function startDemo(options: DemoOptions): Promise<RunningDemo> {
  const { data, apiPort, identityPort, identityHost, controlUrl, apiToken, consoleSecret } = options
  const { databasePort, databasePassword } = options
  await using opened = new AsyncDisposableStack()
  opened.adopt(await startDemoApi({ port: apiPort, token: apiToken }), (it) => it.close())
  opened.adopt(await startDemoDatabase({ port: databasePort, password: databasePassword }), (it) =>
    it.close(),
  )
  const provider = opened.adopt(
    await startIdentityProvider({
      port: identityPort,
      host: identityHost,
      dataDir: data,
      consoleSecret,
      log: createLog('warn'),
    }),
    (it) => it.close(),
  )
  const agent = await writeCredentials(data, controlUrl, provider)
  const running = opened.move()
  return { agent, close: () => running.disposeAsync() }
}
