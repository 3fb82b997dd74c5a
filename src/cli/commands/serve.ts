import { Command } from 'commander'
import { resolve } from 'node:path'
import { loadConfig } from '../../config/load.ts'
import { observedResources } from '../../config/observed.ts'
import type { Config } from '../../config/schema.ts'
import { checkConfiguration } from '../check-configuration.ts'
import { consolePages } from '../console-pages.ts'
import { runUntilInterrupted, type Ports } from '../run-until-interrupted.ts'
import type { Terminal } from '../terminal.ts'

export function serve(terminal: Terminal): Command {
  return new Command('serve')
    .description('run the gateway until it is interrupted')
    .option('--config <file>', 'the configuration', 'sallyport.yaml')
    .option('--check', 'report every mistake in configuration and policies, and start nothing')
    .action(async ({ config: named, check }: { config: string; check?: boolean }) => {
      const file = resolve(terminal.folder, named)
      if (check) {
        await checkConfiguration(file, terminal.folder, terminal.environment)
        return terminal.note(`${named} and its policies are valid.`)
      }
      const config = loadConfig(file, terminal.environment)
      await runUntilInterrupted(terminal, portsOf(config), async () => {
        // Imported only here, so that other commands do not have to load the whole gateway.
        const { startGateway } = await import('../../app.ts')
        const gateway = await startGateway(config, {
          pages: consolePages(),
          signal: terminal.interrupted,
        })
        terminal.note(`agents   ${gateway.agentsUrl}\nconsole  ${gateway.controlUrl}`)
        const observed = observedResources(config)
        if (observed.length > 0)
          terminal.note(
            `Careful: mode is observe. Nothing is denied or held on ${observed.join(', ')}, only recorded.`,
          )
        return gateway
      })
    })
}

function portsOf({ listen, resources }: Config): Ports {
  const databases = resources.flatMap((it, index) =>
    it.protocol === 'postgres' ? [[`resources[${index}].listen`, it.listen.port] as const] : [],
  )
  return {
    'listen.agents.address': listen.agents.address.port,
    'listen.control.address': listen.control.address.port,
    ...Object.fromEntries(databases),
  }
}
