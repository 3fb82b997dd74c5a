import { Command } from 'commander'
import { z } from 'zod'
import { connect } from '../../control-plane.ts'
import { UsageError } from '../../errors.ts'
import { held, noteHeld } from '../../held.ts'
import { jsonText } from '../../json-text.ts'
import { table } from '../../table.ts'
import type { Terminal } from '../../terminal.ts'

const party = z.object({ issuer: z.string(), subject: z.string() })

const legalHold = z.object({
  id: z.string(),
  reason: z.string(),
  from: z.string().nullable(),
  to: z.string().nullable(),
  subject: party.nullable(),
  action: z.string().nullable(),
  created_by: party,
  released_at: z.string().nullable(),
})

type LegalHold = z.output<typeof legalHold>

const answered = z.union([held, z.object({ legal_hold: legalHold })])

export function legalHolds(terminal: Terminal): Command {
  return new Command('legal-hold')
    .description('what is never taken out of the database or erased')
    .addCommand(create(terminal))
    .addCommand(list(terminal))
    .addCommand(release(terminal))
}

interface Options {
  readonly reason: string
  readonly from?: string
  readonly to?: string
  readonly issuer?: string
  readonly subject?: string
  readonly action?: string
  readonly json?: boolean
}

function create(terminal: Terminal): Command {
  return new Command('create')
    .description('keep the events that are all of this, and what they say of people')
    .requiredOption('--reason <reason>', 'why; it goes on record')
    .option('--from <from>', 'at or after this time (ISO 8601)')
    .option('--to <to>', 'before this time (ISO 8601)')
    .option('--issuer <issuer>', 'who names the subject')
    .option('--subject <subject>', 'who acted')
    .option('--action <id>', 'an action, by its id')
    .option('--json', 'as JSON')
    .action(async ({ reason, from, to, issuer, subject, action, json }: Options) => {
      if ((issuer === undefined) !== (subject === undefined))
        throw new UsageError('A subject has an issuer.', 'Give --issuer and --subject.')
      const plane = await connect(terminal)
      const asked = {
        reason,
        ...(from !== undefined && { from: instant('--from', from) }),
        ...(to !== undefined && { to: instant('--to', to) }),
        ...(subject !== undefined && { subject: { issuer, subject } }),
        ...(action !== undefined && { action }),
      }
      const answer = await plane.post('/api/audit/legal-holds', asked, answered)
      tell(terminal, answer, json, (it) => `Legal hold ${it.id} is in force.`)
    })
}

function list(terminal: Terminal): Command {
  return new Command('list')
    .description('all legal holds, those in force first')
    .option('--json', 'as JSON')
    .action(async ({ json }: Pick<Options, 'json'>) => {
      const plane = await connect(terminal)
      const answer = await plane.get(
        '/api/audit/legal-holds',
        z.object({ legal_holds: z.array(legalHold) }),
      )
      if (json) return terminal.print(jsonText(answer.legal_holds, 2))
      if (answer.legal_holds.length === 0) return terminal.note('There is none.')
      terminal.print(
        table(
          ['ID', 'STATE', 'COVERS', 'REASON'],
          answer.legal_holds.map((it) => [
            it.id,
            it.released_at === null ? 'in force' : `released ${it.released_at}`,
            scopeOf(it),
            it.reason,
          ]),
        ),
      )
    })
}

function release(terminal: Terminal): Command {
  return new Command('release')
    .description('end a legal hold')
    .argument('<id>')
    .requiredOption('--reason <reason>', 'why; it goes on record')
    .option('--json', 'as JSON')
    .action(async (id: string, { reason, json }: Pick<Options, 'reason' | 'json'>) => {
      const plane = await connect(terminal)
      const path = `/api/audit/legal-holds/${encodeURIComponent(id)}/release`
      const answer = await plane.post(path, { reason }, answered)
      tell(terminal, answer, json, (it) => `Legal hold ${it.id} is released.`)
    })
}

function tell(
  terminal: Terminal,
  answer: z.output<typeof answered>,
  json: boolean | undefined,
  words: (hold: LegalHold) => string,
): void {
  if (json) return terminal.print(jsonText(answer, 2))
  if ('approval' in answer) return noteHeld(terminal, answer)
  terminal.print(words(answer.legal_hold))
}

/**
 * The API takes only full timestamps, because the meaning of a day without a time would depend on
 * where it is read.
 */
function instant(option: string, text: string): string {
  const time = new Date(text)
  if (Number.isNaN(time.getTime()))
    throw new UsageError(`${option} is no time.`, 'Write it as in 2026-01-31T00:00:00Z.')
  return time.toISOString()
}

function scopeOf({ from, to, subject, action }: LegalHold): string {
  const parts = [
    from && `from ${from}`,
    to && `before ${to}`,
    subject && `of ${subject.subject} (${subject.issuer})`,
    action && `action ${action}`,
  ]
  return parts.filter((part) => part !== null).join(', ')
}
