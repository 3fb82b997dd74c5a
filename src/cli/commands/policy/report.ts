import { Command } from 'commander'
import { age } from '../../age.ts'
import { connect } from '../../control-plane.ts'
import { jsonText } from '../../json-text.ts'
import { reportObserved } from '../../observed.ts'
import { showObserved } from '../../show-observed.ts'
import type { Terminal } from '../../terminal.ts'

interface Options {
  readonly since: number
  readonly resource?: string
  readonly json?: boolean
}

export function reportPolicies(terminal: Terminal): Command {
  return new Command('report')
    .description('what enforcing would have denied and held, of what ran with mode: observe')
    .requiredOption('--since <time>', 'how far back, as in 7d or 12h', age)
    .option('--resource <name>', 'on this resource alone')
    .option('--json', 'as JSON')
    .action(async ({ since, resource, json }: Options) => {
      const plane = await connect(terminal)
      const from = new Date(Date.now() - since).toISOString()
      const report = await reportObserved(plane, from, resource)
      terminal.print(json ? jsonText(report, 2) : showObserved(report))
    })
}
