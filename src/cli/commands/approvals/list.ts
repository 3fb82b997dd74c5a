import { Command, Option } from 'commander'
import { z } from 'zod'
import { states } from '../../../approvals/machine.ts'
import { connect } from '../../control-plane.ts'
import { jsonText } from '../../json-text.ts'
import { approvalSchema } from '../../show-approval.ts'
import { table } from '../../table.ts'
import type { Terminal } from '../../terminal.ts'

interface Options {
  readonly state?: string
  readonly before?: string
  readonly json?: boolean
}

export function listApprovals(terminal: Terminal): Command {
  return new Command('list')
    .description('list approvals, the newest first')
    .addOption(new Option('--state <state>', 'only in this state').choices(states))
    .option('--before <id>', 'older than this one')
    .option('--json', 'as JSON')
    .action(async ({ state, before, json }: Options) => {
      const plane = await connect(terminal)
      const query = new URLSearchParams({ ...(state && { state }), ...(before && { before }) })
      const answer = await plane.get(
        `/api/approvals?${query.toString()}`,
        z.object({ approvals: z.array(approvalSchema), next: z.string().nullable() }),
      )
      if (json) return terminal.print(jsonText(answer, 2))
      const rows = answer.approvals.map(({ id, state: now, action, risk, expires_at }) => [
        id,
        now,
        risk,
        action.subject.subject,
        action.resource,
        action.summary,
        expires_at,
      ])
      if (answer.approvals.length === 0) terminal.note('Nothing here.')
      else
        terminal.print(
          table(['ID', 'STATE', 'RISK', 'AGENT', 'RESOURCE', 'ACTION', 'EXPIRES'], rows),
        )
      if (answer.next) terminal.note(`There are more: --before ${answer.next}`)
    })
}
