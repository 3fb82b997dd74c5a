import { Command } from 'commander'
import { z } from 'zod'
import { connect } from '../../control-plane.ts'
import { UsageError } from '../../errors.ts'
import { jsonText } from '../../json-text.ts'
import { table } from '../../table.ts'
import type { Terminal } from '../../terminal.ts'
import { addFilters, everyFilter, queryOf, type Filters } from './filters.ts'

const event = z.looseObject({
  id: z.string(),
  time: z.string(),
  type: z.string(),
  subject: z.looseObject({ subject: z.string() }).nullish(),
  resource: z.string().nullish(),
  decision: z.string().nullish(),
  reason: z.string().nullish(),
})

const page = z.object({ events: z.array(event), cursor: z.string().nullish() })

export function searchAudit(terminal: Terminal): Command {
  const command = new Command('search')
    .description('search the audit log, the newest first')
    .option('--limit <n>', 'at most so many', '100')
    .option('--json', 'one JSON document a line')
  return addFilters(command, everyFilter).action(
    async (options: Filters & { limit: string; json?: boolean }) => {
      const limit = Number(options.limit)
      if (!Number.isInteger(limit) || limit < 1)
        throw new UsageError('--limit is no number.', 'Write a whole number, 1 or more.')
      const plane = await connect(terminal)
      const found: z.output<typeof event>[] = []
      let cursor: string | null | undefined
      do {
        const query = queryOf(options, cursor ? { cursor } : {})
        const answer = await plane.get(`/api/audit/events?${query}`, page)
        found.push(...answer.events.slice(0, limit - found.length))
        cursor = answer.events.length > 0 ? answer.cursor : null
      } while (cursor && found.length < limit)

      if (options.json) {
        for (const one of found) terminal.print(jsonText(one))
        return
      }
      if (found.length === 0) return terminal.note('Nothing here.')
      const rows = found.map((one) => [
        one.time,
        one.type,
        one.subject?.subject ?? null,
        one.resource ?? null,
        one.decision ?? null,
        one.reason ?? null,
      ])
      terminal.print(table(['TIME', 'EVENT', 'SUBJECT', 'RESOURCE', 'DECISION', 'REASON'], rows))
    },
  )
}
