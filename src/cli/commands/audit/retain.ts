import { Command } from 'commander'
import { resolve } from 'node:path'
import { z } from 'zod'
import { dropMonth, NotDropped } from '../../../audit/retention/drop.ts'
import { connect, type ControlPlane } from '../../control-plane.ts'
import { Refusal } from '../../errors.ts'
import { held, noteHeld } from '../../held.ts'
import { jsonText } from '../../json-text.ts'
import { table } from '../../table.ts'
import type { Terminal } from '../../terminal.ts'
import { countKept, findExports, type Tally, type Wanted } from './kept-files.ts'

interface Options {
  readonly exports?: readonly string[]
  readonly yes?: boolean
  readonly json?: boolean
}

const retention = z.object({
  keep_seconds: z.number().nullable(),
  months: z.array(
    z.object({
      month: z.string(),
      bytes: z.number(),
      due: z.boolean(),
      events: z.number().nullable(),
      indexes: z.array(z.object({ first: z.number(), end: z.number() })).nullable(),
      recorded: z.boolean(),
      held_by: z.array(z.string()),
    }),
  ),
})

type Month = z.output<typeof retention>['months'][number]

export function retainAudit(terminal: Terminal): Command {
  return new Command('retain')
    .description('take months out of the database that are old enough and kept elsewhere')
    .option(
      '--exports <path...>',
      'exports with their manifests, or folders of them; left out, shows the months',
    )
    .option('--yes', 'do not ask')
    .option('--json', 'as JSON')
    .action(async ({ exports, yes, json }: Options) => {
      const plane = await connect(terminal)
      const { months, ...rest } = await plane.get('/api/audit/retention', retention)
      if (!exports) {
        terminal.print(json ? jsonText({ ...rest, months }, 2) : shown(months))
        return
      }
      const due = months.filter((month) => month.due && month.held_by.length === 0)
      if (due.length === 0) return terminal.note('No month is due.')
      const wanted = due.flatMap(({ month, events, indexes }) =>
        events === null ? [] : { month, events, indexes },
      )
      const kept = await keptIn(terminal, plane, exports, wanted)
      const ready = due.filter(({ month, recorded }) => recorded || kept.has(month))
      for (const { month } of due.filter((one) => !ready.includes(one)))
        terminal.note(`${month} is not in these files, and stays.`)
      if (ready.length > 0 && !yes) await confirm(terminal, ready)
      for (const month of ready) await retain(terminal, plane, month, kept.get(month.month))
    })
}

async function keptIn(
  terminal: Terminal,
  plane: ControlPlane,
  named: readonly string[],
  wanted: readonly Wanted[],
): Promise<ReadonlyMap<string, Tally>> {
  if (wanted.length === 0) return new Map()
  const { keys } = await plane.get('/api/audit/keys', z.object({ keys: z.array(z.string()) }))
  const paths = await Promise.all(named.map((path) => findExports(resolve(terminal.folder, path))))
  return countKept([...new Set(paths.flat())], keys, wanted)
}

/**
 * Recorded first, and then removed from the database. A run that was interrupted, or had to wait
 * for an approval, can be repeated.
 */
async function retain(
  terminal: Terminal,
  plane: ControlPlane,
  { month, recorded }: Month,
  tally: Tally | undefined,
): Promise<void> {
  if (!recorded) {
    const { events, impersonal, exports } = tally!
    const answer = await plane.post(
      '/api/audit/retention',
      {
        ...{ month, events, impersonal },
        exports: exports.map(({ sha256, first, end }) => ({ sha256, first, end })),
      },
      z.union([held, z.object({ month: z.string(), events: z.number() })]),
    )
    if ('approval' in answer) return noteHeld(terminal, answer)
    terminal.print(`${month}: on record as kept elsewhere, ${events} events.`)
  }
  const url = terminal.environment['SALLYPORT_KEEPER_URL']
  if (!url)
    return terminal.note(
      `${month} is in the database still. To take it out, run this again with SALLYPORT_KEEPER_URL, a login that is a member of sallyport_keeper.`,
    )
  await dropMonth(url, month, terminal.interrupted).catch((error: unknown) => {
    if (!(error instanceof NotDropped)) throw error
    throw new Refusal(`${month} was not taken out. ${error.message}`, {}, { cause: error })
  })
  terminal.print(`${month}: out of the database. Its hashes and proofs stay.`)
}

async function confirm(terminal: Terminal, months: readonly Month[]): Promise<void> {
  const names = months.map(({ month }) => month).join(', ')
  const answer = await terminal.ask(
    `Take ${names} out of the database? The files are all that is left then. Type yes: `,
  )
  if (answer.trim() !== 'yes') throw new Refusal('Nothing was taken out.')
}

function shown(months: readonly Month[]): string {
  return table(
    ['MONTH', 'MiB', 'EVENTS', 'STATE', 'LEGAL HOLDS'],
    months.map((month) => [
      month.month,
      (month.bytes / 1024 ** 2).toFixed(1),
      month.events === null ? null : String(month.events),
      stateOf(month),
      month.held_by.join(', ') || null,
    ]),
  )
}

function stateOf({ due, recorded, indexes }: Month): string {
  if (recorded) return 'on record as kept elsewhere'
  if (indexes) return 'due: came when others of it were on record'
  return due ? 'due' : 'kept'
}
