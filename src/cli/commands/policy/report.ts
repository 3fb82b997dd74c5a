import { Command } from 'commander'
import { duration } from '../../../config/duration.ts'
import { connect } from '../../control-plane.ts'
import { UsageError } from '../../errors.ts'
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

/** In milliseconds. */
function age(text: string): number {
  const parsed = duration.safeParse(text)
  // Further back than time itself goes is no time.
  if (!parsed.success || parsed.data > Date.now())
    throw new UsageError(`--since ${text} is no time.`, 'Write a number and a unit: 12h or 7d.')
  return parsed.data
}
