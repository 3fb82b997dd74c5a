import { Command } from 'commander'
import { z } from 'zod'
import { connect } from '../../control-plane.ts'
import { jsonText } from '../../json-text.ts'
import { table } from '../../table.ts'
import type { Terminal } from '../../terminal.ts'

const delivery = z.looseObject({
  name: z.string(),
  to: z.string(),
  state: z.string(),
  cursor: z.number(),
  lag: z.looseObject({ events: z.number(), since: z.string().nullable() }),
  last_success: z.string().nullable(),
  last_error: z.string().nullable(),
})

export function auditDeliveries(terminal: Terminal): Command {
  return new Command('deliveries')
    .description('how far the log has got to where it is delivered')
    .option('--json', 'as JSON')
    .action(async ({ json }: { json?: boolean }) => {
      const plane = await connect(terminal)
      const schema = z.object({ deliveries: z.array(delivery) })
      const answer = await plane.get('/api/audit/deliveries', schema)
      if (json) return terminal.print(jsonText(answer, 2))
      if (answer.deliveries.length === 0)
        return terminal.note('The log is delivered nowhere: audit.deliveries is not configured.')
      const rows = answer.deliveries.map((it) => [
        ...[it.name, it.to, it.state, String(it.cursor), String(it.lag.events)],
        ...[it.lag.since, it.last_success],
        it.state === 'failing' ? it.last_error : null,
      ])
      const headings = ['NAME', 'TO', 'STATE', 'NEXT', 'LAG', 'SINCE', 'DELIVERED', 'ERROR']
      terminal.print(table(headings, rows))
    })
}
