import { Command } from 'commander'
import { castVote, type VoteOptions } from '../../cast-vote.ts'
import type { Terminal } from '../../terminal.ts'

export function approveApproval(terminal: Terminal): Command {
  return new Command('approve')
    .description('show one approval, and approve exactly what is shown')
    .argument('<id>')
    .option('--reason <text>', 'why; it is on record')
    .option('--scope <scope>', 'what to grant, of what the approval offers', 'once')
    .option('--yes', 'do not ask')
    .option('--json', 'print the approval as JSON afterwards')
    .action((id: string, options: VoteOptions) => castVote(terminal, id, 'approve', options))
}
