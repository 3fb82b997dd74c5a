import { Command } from 'commander'
import { connect } from '../../control-plane.ts'
import { Refusal } from '../../errors.ts'
import { readEvents } from '../../server-sent-events.ts'
import { approvalSchema } from '../../show-approval.ts'
import type { Terminal } from '../../terminal.ts'
import { visible } from '../../visible.ts'

export function watchApprovals(terminal: Terminal): Command {
  return new Command('watch')
    .description('print approvals as they appear and change, until interrupted')
    .option('--json', 'one JSON document a line')
    .action(async ({ json }: { json?: boolean }) => {
      const plane = await connect(terminal)
      const body = await plane.stream('/api/approvals/stream')
      try {
        for await (const { data } of readEvents(body)) {
          const approval = approvalSchema.safeParse(JSON.parse(data)).data
          if (!approval) continue
          const { id, state, action } = approval
          const line = `${state.padEnd(11)} ${id}  ${action.subject.subject} → ${action.resource}: ${action.summary}`
          terminal.print(json ? JSON.stringify(approval) : visible(line))
        }
      } catch (error) {
        if (!terminal.interrupted.aborted) throw error
        return
      }
      throw new Refusal('The control plane has closed the stream.')
    })
}
