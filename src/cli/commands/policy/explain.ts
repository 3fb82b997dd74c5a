import { Command } from 'commander'
import { Refusal } from '../../errors.ts'
import { jsonText } from '../../json-text.ts'
import { runTests } from '../../policy-tests.ts'
import type { PolicyOptions } from '../../policy-source.ts'
import { showExplanation } from '../../show-explanation.ts'
import { shortPath } from '../../short-path.ts'
import type { Terminal } from '../../terminal.ts'

interface Options extends PolicyOptions {
  readonly policies?: string
  readonly json?: boolean
}

export function explainPolicies(terminal: Terminal): Command {
  return new Command('explain')
    .description('say why an action of a *.test.yaml is decided as it is, rule by rule')
    .argument('<words>', 'part of the name of the test')
    .option('--policies <folder>', 'the policies; those of the configuration, if left out')
    .option('--config <file>', 'the configuration, for the names of the resources')
    .option('--json', 'as JSON')
    .action(async (words: string, options: Options) => {
      const results = await runTests(terminal.folder, options.policies, options)
      const meant = results.filter(({ name }) => name.toLowerCase().includes(words.toLowerCase()))
      if (meant.length === 0) throw new Refusal(`No test has “${words}” in its name.`)
      if (options.json) return terminal.print(jsonText(meant, 2))
      for (const { file, line, name, explanation } of meant)
        terminal.print(
          `${shortPath(file, terminal.folder)}:${line}  ${name}\n${showExplanation(explanation, terminal.folder)}\n`,
        )
    })
}
