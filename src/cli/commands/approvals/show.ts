import { Command } from 'commander'
import { connect } from '../../control-plane.ts'
import { jsonText } from '../../json-text.ts'
import { approvalSchema, showApproval } from '../../show-approval.ts'
import type { Terminal } from '../../terminal.ts'

export function showOneApproval(terminal: Terminal): Command {
  return new Command('show')
    .description('show one approval, and the whole action that it is for')
    .argument('<id>')
    .option('--json', 'as JSON')
    .action(async (id: string, { json }: { json?: boolean }) => {
      const plane = await connect(terminal)
      const approval = await plane.get(`/api/approvals/${encodeURIComponent(id)}`, approvalSchema)
      terminal.print(json ? jsonText(approval, 2) : showApproval(approval))
    })
}
