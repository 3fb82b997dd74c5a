import { Command } from 'commander'
import { relative, resolve } from 'node:path'
import { UsageError } from '../errors.ts'
import { runUntilInterrupted, type Ports } from '../run-until-interrupted.ts'
import { showQuickstart } from '../show-quickstart.ts'
import type { Terminal } from '../terminal.ts'
import { port } from './port.ts'

interface Options {
  readonly data: string
  readonly apiPort: number
  readonly databasePort: number
  readonly identityPort: number
  readonly identityHost: string
  readonly agentsUrl: string
  readonly ordersPort: number
  readonly controlUrl: string
  readonly compose: string
}

/** For docker-compose.yml. In production, the user's own systems take its place. */
export function demo(terminal: Terminal): Command {
  return new Command('demo')
    .description(
      'the API, the database and the identity provider of the quickstart, for a gateway elsewhere',
    )
    .option('--api-port <port>', 'the demo API, on loopback', port, 8083)
    .option('--database-port <port>', 'the demo database, on loopback', port, 8084)
    .option('--identity-port <port>', 'the demo identity provider', port, 8082)
    .option('--identity-host <host>', 'where it listens; it calls itself 127.0.0.1', '127.0.0.1')
    .option('--agents-url <url>', 'where agents reach the gateway', 'http://127.0.0.1:8080')
    .option('--orders-port <port>', 'where agents reach the database', port, 6432)
    .option('--control-url <url>', 'where people do', 'http://127.0.0.1:8081')
    .option('--data <folder>', 'where its keys are kept', 'data')
    .option('--compose <service>', 'what docker compose calls this', 'demo')
    .action(async ({ agentsUrl, ordersPort, compose, ...options }: Options) => {
      await runUntilInterrupted(terminal, portsOf(options), async () => {
        const { startDemo } = await import('../demo.ts')
        const data = resolve(terminal.folder, options.data)
        const running = await startDemo({
          ...options,
          data,
          apiToken: secret(terminal, 'DEMO_API_TOKEN'),
          databasePassword: secret(terminal, 'DEMO_DATABASE_PASSWORD'),
          consoleSecret: secret(terminal, 'DEMO_CONSOLE_SECRET'),
        })
        const { agent } = running
        const shown = (file: string) =>
          `"$(docker compose exec -T ${compose} cat ${relative(terminal.folder, file)})"`
        terminal.print(
          showQuickstart(
            { agentsUrl, controlUrl: options.controlUrl, databasePort: ordersPort, agent },
            {
              header: shown(agent.header),
              token: shown(agent.token),
              sallyport: `docker compose exec ${compose} sallyport`,
              end: '`docker compose down` stops everything; with --volumes it forgets everything, too.',
            },
          ),
        )
        return running
      })
    })
}

/** The secret that the gateway sends here. The gateway and the demo are given the same variable. */
function secret({ environment }: Terminal, variable: string): string {
  const value = environment[variable]
  if (value) return value
  throw new UsageError(`${variable} is not set.`, 'Give the gateway and the demo the same value.')
}

function portsOf({
  apiPort,
  databasePort,
  identityPort,
}: Pick<Options, 'apiPort' | 'databasePort' | 'identityPort'>): Ports {
  return { '--api-port': apiPort, '--database-port': databasePort, '--identity-port': identityPort }
}
