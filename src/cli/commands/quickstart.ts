import { Command } from 'commander'
import { resolve } from 'node:path'
import type { QuickstartPorts } from '../quickstart.ts'
import { runUntilInterrupted, type Ports } from '../run-until-interrupted.ts'
import { showQuickstart } from '../show-quickstart.ts'
import type { Terminal } from '../terminal.ts'
import { port } from './port.ts'

interface Options {
  readonly agentsPort: number
  readonly controlPort: number
  readonly databasePort: number
  readonly identityPort: number
  readonly data: string
}

export function quickstart(terminal: Terminal): Command {
  return new Command('quickstart')
    .description(
      'try it: a gateway with a demo API, a demo database, a demo identity provider and the console',
    )
    .option('--agents-port <port>', 'where agents connect', port, 8080)
    .option('--control-port <port>', 'console and API', port, 8081)
    .option('--database-port <port>', 'where agents find the database', port, 6432)
    .option('--identity-port <port>', 'demo identity provider', port, 8082)
    .option('--data <folder>', 'where everything is kept', 'data')
    .action(async ({ data, ...options }: Options) => {
      const ports: QuickstartPorts = {
        agents: options.agentsPort,
        control: options.controlPort,
        database: options.databasePort,
        identity: options.identityPort,
      }
      await runUntilInterrupted(terminal, portsOf(ports), async () => {
        // Imported only here, so that other commands do not have to load the whole gateway.
        const { startQuickstart } = await import('../quickstart.ts')
        const running = await startQuickstart(resolve(terminal.folder, data), ports)
        terminal.print(showQuickstart(running))
        return running
      })
    })
}

function portsOf({ agents, control, database, identity }: QuickstartPorts): Ports {
  return {
    '--agents-port': agents,
    '--control-port': control,
    '--database-port': database,
    '--identity-port': identity,
  }
}
