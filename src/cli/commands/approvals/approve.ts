import { Command } from 'commander'
import { castVote, type VoteOptions } from '../../cast-vote.ts'
import { UsageError } from '../../errors.ts'
import type { Terminal } from '../../terminal.ts'

export function approveApproval(terminal: Terminal): Command {
  return new Command('approve')
    .description('show one approval, and approve exactly what is shown')
    .argument('<id>')
    .option('--reason <text>', 'why; it is on record')
    .option('--minutes <n>', 'for so long, where the approval offers it; once, if left out', count)
    .option('--session', 'until the session of the agent ends, where the approval offers it')
    .option('--break-glass', 'in an emergency: release it alone, where its rules let you')
    .option('--yes', 'do not ask')
    .option('--json', 'print the approval as JSON afterwards')
    .action((id: string, { breakGlass, ...options }: VoteOptions & { breakGlass?: boolean }) => {
      if (options.minutes !== undefined && options.session)
        throw new UsageError('--minutes and --session are two grants.', 'Leave one of them out.')
      if (!breakGlass) return castVote(terminal, id, 'approve', options)
      if (!options.reason)
        throw new UsageError('--break-glass takes a reason.', 'Add --reason, with what happened.')
      if (options.minutes !== undefined || options.session)
        throw new UsageError(
          '--break-glass releases one run.',
          'Leave --minutes and --session out.',
        )
      return castVote(terminal, id, 'break_glass', options)
    })
}

function count(text: string): number {
  const number = Number(text)
  if (!Number.isInteger(number) || number < 1)
    throw new UsageError('--minutes is no number.', 'Write a whole number, 1 or more.')
  return number
}
