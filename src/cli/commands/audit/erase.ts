import { Command } from 'commander'
import { erasePerson, NotErased, type ErasureRequest } from '../../../audit/retention/erase.ts'
import { visible } from '../../../core/visible.ts'
import { Refusal, UsageError } from '../../errors.ts'
import { jsonText } from '../../json-text.ts'
import type { Terminal } from '../../terminal.ts'

interface Options extends ErasureRequest {
  readonly yes?: boolean
  readonly json?: boolean
}

export function eraseAudit(terminal: Terminal): Command {
  return new Command('erase')
    .description('erase what is known of a person or an agent, for good; every proof stays valid')
    .requiredOption('--issuer <issuer>', 'who names the subject')
    .requiredOption('--subject <subject>', 'whose data')
    .requiredOption('--reason <reason>', 'why; it goes on record, so name the request and nobody')
    .option('--yes', 'do not ask')
    .option('--json', 'as JSON')
    .action(async ({ yes, json, ...request }: Options) => {
      const url = terminal.environment['SALLYPORT_ERASER_URL']
      if (!url)
        throw new UsageError(
          'SALLYPORT_ERASER_URL is not set.',
          'Set it to a login of the database that is a member of sallyport_eraser.',
        )
      if (!yes) await confirm(terminal, request)
      const erasure = await erasePerson(url, request).catch((error: unknown) => {
        throw error instanceof NotErased
          ? new Refusal(`Nothing was erased. ${error.message}`, {}, { cause: error })
          : error
      })
      const { id, events, approvals, votes } = erasure
      if (json) return terminal.print(jsonText(erasure, 2))
      terminal.print(
        `Erased: the personal part of ${counted(events, 'event')}, ${counted(approvals, 'approval')}, ${counted(votes, 'reason')} of votes. On record as ${id}.`,
      )
    })
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? '' : 's'}`
}

async function confirm(terminal: Terminal, { issuer, subject }: ErasureRequest): Promise<void> {
  const who = visible(`${issuer} ${subject}`)
  const answer = await terminal.ask(`Erase everything of ${who}, for good? Type yes: `)
  if (answer.trim() !== 'yes') throw new Refusal('Nothing was erased.')
}
