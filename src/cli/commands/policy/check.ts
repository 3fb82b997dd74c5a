import { Command } from 'commander'
import { loadPolicies } from '../../../policy/load.ts'
import { jsonText } from '../../json-text.ts'
import { policySource, type PolicyOptions } from '../../policy-source.ts'
import { shortPath } from '../../short-path.ts'
import type { Terminal } from '../../terminal.ts'

export function checkPolicies(terminal: Terminal): Command {
  return new Command('check')
    .description('compile the policies, and report every mistake')
    .argument('[folder]', 'the policies; those of the configuration, if left out')
    .option('--config <file>', 'the configuration, for the names of the resources')
    .option('--json', 'as JSON')
    .action(async (named: string | undefined, options: PolicyOptions & { json?: boolean }) => {
      const { folder, known } = policySource(terminal.folder, named, options)
      const { hash, rules } = await loadPolicies(folder, known)
      if (options.json) terminal.print(jsonText({ hash, rules: rules.map(({ name }) => name) }))
      else
        terminal.print(
          `The policies in ${shortPath(folder, terminal.folder)} are valid.
rules  ${rules.length}
hash   ${hash}`,
        )
    })
}
