import { Command } from 'commander'
import { z } from 'zod'
import { visible } from '../../../core/visible.ts'
import { connect, type ControlPlane } from '../../control-plane.ts'
import { Refusal, UsageError } from '../../errors.ts'
import { jsonText } from '../../json-text.ts'
import { table } from '../../table.ts'
import type { Terminal } from '../../terminal.ts'
import { addFilters, checkSpan, everyFilter, queryOf, type Filters } from './filters.ts'

const event = z.looseObject({
  id: z.string(),
  time: z.string(),
  type: z.string(),
  subject: z.looseObject({ subject: z.string() }).nullish(),
  resource: z.string().nullish(),
  decision: z.string().nullish(),
  reason: z.string().nullish(),
})

const saved = z.object({
  searches: z.array(z.object({ name: z.string(), query: z.record(z.string(), z.string()) })),
})

/** The API's limit. */
const mostOnPage = 1_000

const page = z.object({ events: z.array(event), cursor: z.string().nullish() })

interface Options extends Filters {
  readonly limit: string
  readonly since?: string
  readonly saved?: string | true
  readonly json?: boolean
}

export function searchAudit(terminal: Terminal): Command {
  const command = new Command('search')
    .description('search the audit log, the newest first')
    .option('--limit <n>', 'at most so many', '100')
    .option('--since <age>', 'as long ago at most: 15m, 24h, 7d')
    .option(
      '--saved [name]',
      'a search that you saved, narrowed by what else is given; without a name, a list of them',
    )
    .option('--json', 'one JSON document a line')
  return addFilters(command, everyFilter).action(
    async ({ limit: atMost, since, saved: name, json, ...filters }: Options) => {
      const limit = Number(atMost)
      if (!Number.isInteger(limit) || limit < 1)
        throw new UsageError('--limit is no number.', 'Write a whole number, 1 or more.')
      checkSpan(filters)
      if (since !== undefined && filters.from !== undefined)
        throw new UsageError('--since and --from both say where it begins.', 'Leave one out.')
      const plane = await connect(terminal)
      if (name === true) return listSaved(terminal, plane, json)
      const kept = name === undefined ? {} : await queryNamed(plane, name)
      const age = since ?? kept['since']
      const found: z.output<typeof event>[] = []
      let cursor: string | null | undefined
      do {
        const query = queryOf(
          { ...kept, ...filters },
          {
            ...(age && { since: age }),
            ...(cursor && { cursor }),
            limit: String(Math.min(limit - found.length, mostOnPage)),
          },
        )
        const answer = await plane.get(`/api/audit/events?${query}`, page).catch((cause: Error) => {
          throw asUsage(cause)
        })
        found.push(...answer.events)
        cursor = answer.events.length > 0 ? answer.cursor : null
      } while (cursor && found.length < limit)

      if (json) {
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

/**
 * What the API cannot read comes from this command line or a saved search, such as a malformed id
 * or age.
 */
function asUsage(cause: Error): Error {
  const type = cause instanceof Refusal ? cause.details['type'] : undefined
  if (typeof type !== 'string' || !type.endsWith('/bad-request')) return cause
  return new UsageError(cause.message, 'See sallyport audit search --help.')
}

async function listSaved(
  terminal: Terminal,
  plane: ControlPlane,
  json: boolean | undefined,
): Promise<void> {
  const { searches } = await plane.get('/api/audit/searches', saved)
  if (json) {
    for (const one of searches) terminal.print(jsonText(one))
    return
  }
  if (searches.length === 0)
    return terminal.note(
      'You have saved no searches. The console saves them: Activity, Saved searches.',
    )
  const rows = searches.map(({ name, query }) => [name, new URLSearchParams(query).toString()])
  terminal.print(table(['NAME', 'SEARCH'], rows))
}

async function queryNamed(plane: ControlPlane, wanted: string): Promise<Record<string, string>> {
  const { searches } = await plane.get('/api/audit/searches', saved)
  const found = searches.find(({ name }) => name === wanted)
  if (found) return found.query
  throw new Refusal(`You have saved no search named ${visible(wanted)}.`)
}
