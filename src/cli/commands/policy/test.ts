import { Command } from 'commander'
import { Refusal } from '../../errors.ts'
import { jsonText } from '../../json-text.ts'
import { runTests } from '../../policy-tests.ts'
import type { PolicyOptions } from '../../policy-source.ts'
import { shortPath } from '../../short-path.ts'
import type { Terminal } from '../../terminal.ts'

export function testPolicies(terminal: Terminal): Command {
  return new Command('test')
    .description('run the *.test.yaml beside the policies')
    .argument('[folder]', 'the policies; those of the configuration, if left out')
    .option('--config <file>', 'the configuration, for the names of the resources')
    .option('--json', 'as JSON')
    .action(async (named: string | undefined, options: PolicyOptions & { json?: boolean }) => {
      const results = await runTests(terminal.folder, named, options)
      const failed = results.filter(({ passed }) => !passed)
      if (options.json) terminal.print(jsonText(results, 2))
      else {
        for (const { file, line, name, differences } of failed)
          terminal.print(
            `${shortPath(file, terminal.folder)}:${line}  ${name}\n${differences.map((d) => `    ${d}`).join('\n')}`,
          )
        terminal.print(`${results.length - failed.length} passed, ${failed.length} failed`)
      }
      if (failed.length > 0)
        throw new Refusal('The policies decide otherwise than their tests say.')
      // Closed: without tests nothing is proven, and a pipeline that runs them should fail.
      if (results.length === 0) throw new Refusal('There are no tests: write a *.test.yaml.')
    })
}
