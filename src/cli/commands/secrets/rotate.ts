import { Command } from 'commander'
import { resolve } from 'node:path'
import { loadConfig } from '../../../config/load.ts'
import { rotateSecrets } from '../../../config/secrets.ts'
import type { Terminal } from '../../terminal.ts'

export function rotateSecretsFile(terminal: Terminal): Command {
  return new Command('rotate')
    .description(
      'add new keys for cookies, for what is sealed at rest and for checkpoints; the old ones go on reading',
    )
    .option('--config <file>', 'the configuration, for the place of the secrets', 'sallyport.yaml')
    .action(({ config: file }: { config: string }) => {
      const { secrets } = loadConfig(resolve(terminal.folder, file), terminal.environment)
      rotateSecrets(secrets.file)
      terminal.note(
        `There are new keys in ${secrets.file}. Give the file to every replica, and restart them one after another within the hour: then they write with the new keys.`,
      )
    })
}
