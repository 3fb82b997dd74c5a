import { Command } from 'commander'
import { resolve } from 'node:path'
import { loadConfig } from '../../config/load.ts'
import type { Terminal } from '../terminal.ts'

export function migrate(terminal: Terminal): Command {
  return new Command('migrate')
    .description('bring the schema of the database up to date')
    .option('--config <file>', 'the configuration', 'sallyport.yaml')
    .action(async ({ config: file }: { config: string }) => {
      const config = loadConfig(resolve(terminal.folder, file), terminal.environment)
      const { openStore } = await import('../../store/open.ts')
      // Opening a store migrates it.
      const store = await openStore(config)
      await store.end()
      terminal.note('The schema is up to date.')
    })
}
