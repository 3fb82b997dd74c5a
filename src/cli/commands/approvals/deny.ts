import { Command } from 'commander'
import { castVote, type VoteOptions } from '../../cast-vote.ts'
import type { Terminal } from '../../terminal.ts'

export function denyApproval(terminal: Terminal): Command {
  return new Command('deny')
    .description('deny one approval; the reason goes back to the agent')
    .argument('<id>')
    .requiredOption('--reason <text>', 'why; the agent reads it')
    .option('--yes', 'do not ask')
    .option('--json', 'print the approval as JSON afterwards')
    .action((id: string, options: VoteOptions) => castVote(terminal, id, 'deny', options))
}
