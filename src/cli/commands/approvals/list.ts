import { Command, Option } from 'commander'
import { z } from 'zod'
import { connect } from '../../control-plane.ts'
import { approvalSchema } from '../../show-approval.ts'
import { table } from '../../table.ts'
import type { Terminal } from '../../terminal.ts'

const states = [
  'pending',
  'approved',
  'dispatching',
  'succeeded',
  'failed',
  'unknown',
  'denied',
  'expired',
  'cancelled',
  'invalidated',
]

export function listApprovals(terminal: Terminal): Command {
  return new Command('list')
    .description('list approvals, the newest first')
    .addOption(new Option('--state <state>', 'only in this state').choices(states))
    .option('--json', 'as JSON')
    .action(async ({ state, json }: { state?: string; json?: boolean }) => {
      const plane = await connect(terminal)
      const query = state ? `?${new URLSearchParams({ state }).toString()}` : ''
      const answer = await plane.get(
        `/api/approvals${query}`,
        z.object({ approvals: z.array(approvalSchema) }),
      )
      if (json) return terminal.print(JSON.stringify(answer, null, 2))
      if (answer.approvals.length === 0) return terminal.note('Nothing here.')
      const rows = answer.approvals.map(({ id, state: now, action, risk, expires_at }) => [
        id,
        now,
        risk,
        action.subject.subject,
        action.resource,
        action.summary,
        expires_at,
      ])
      terminal.print(table(['ID', 'STATE', 'RISK', 'AGENT', 'RESOURCE', 'ACTION', 'EXPIRES'], rows))
    })
}
