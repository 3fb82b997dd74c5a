import { Command } from 'commander'
import { resolve } from 'node:path'
import { configSchema, type Config } from '../../config/schema.ts'
import { UsageError } from '../errors.ts'
import type { QuickstartPorts } from '../quickstart.ts'
import { runUntilInterrupted } from '../run-until-interrupted.ts'
import { showQuickstart } from '../show-quickstart.ts'
import type { Terminal } from '../terminal.ts'

interface Options {
  readonly agentsPort: number
  readonly controlPort: number
  readonly identityPort: number
  readonly data: string
}

export function quickstart(terminal: Terminal): Command {
  return new Command('quickstart')
    .description('try it: a gateway with a demo API, a demo identity provider and the console')
    .option('--agents-port <port>', 'where agents connect', port, 8080)
    .option('--control-port <port>', 'console and API', port, 8081)
    .option('--identity-port <port>', 'demo identity provider', port, 8082)
    .option('--data <folder>', 'where everything is kept', 'data')
    .action(async ({ agentsPort, controlPort, identityPort, data }: Options) => {
      const ports: QuickstartPorts = {
        agents: agentsPort,
        control: controlPort,
        identity: identityPort,
      }
      await runUntilInterrupted(terminal, listenOf(ports), async () => {
        // Only here: no other command has to wait for a whole gateway to be read.
        const { startQuickstart } = await import('../quickstart.ts')
        const running = await startQuickstart(resolve(terminal.folder, data), ports)
        terminal.print(showQuickstart(running))
        return running
      })
    })
}

function port(text: string): number {
  const number = Number(text)
  if (!/^\d+$/.test(text) || number > 65_535)
    throw new UsageError(
      `${text} is no port.`,
      'Write a number from 0 to 65535; 0 takes any free one.',
    )
  return number
}

/** The listeners, for messages about ports: those can come before the configuration has been read. */
function listenOf({ agents, control }: QuickstartPorts): Config['listen'] {
  return configSchema.shape.listen.parse({
    agents: { address: `127.0.0.1:${agents}` },
    control: { address: `127.0.0.1:${control}` },
  })
}
