import { Command } from 'commander'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { connect, type ControlPlane } from '../../control-plane.ts'
import { jsonText } from '../../json-text.ts'
import { readEvents } from '../../server-sent-events.ts'
import { approvalSchema, type ShownApproval } from '../../show-approval.ts'
import type { Terminal } from '../../terminal.ts'
import { visible } from '../../../core/visible.ts'

/** Milliseconds before a stream that has ended is opened again. */
const pause = 1000

export function watchApprovals(terminal: Terminal): Command {
  return new Command('watch')
    .description('print what waits, and approvals as they change, until interrupted')
    .option('--json', 'one JSON document a line')
    .action(async ({ json }: { json?: boolean }) => {
      const known = new Map<string, string>()
      const show = (approval: ShownApproval) => {
        const { id, state, action } = approval
        if (known.get(id) === state) return
        known.set(id, state)
        const line = `${state.padEnd(11)} ${id}  ${action.subject.subject} → ${action.resource}: ${action.summary}`
        terminal.print(json ? jsonText(approval) : visible(line))
      }
      const { interrupted } = terminal
      try {
        // The control plane ends a stream now and then, to look at the credential anew.
        for (;;) {
          await follow(await connect(terminal), show)
          await sleep(pause, undefined, { signal: interrupted })
        }
      } catch (error) {
        if (!interrupted.aborted) throw error
      }
    })
}

const pending = z.object({ approvals: z.array(approvalSchema) })

/** Until the stream ends. `reset` says that anything may have changed, and comes first of all. */
async function follow(plane: ControlPlane, show: (approval: ShownApproval) => void): Promise<void> {
  const stream = await plane.open('/api/approvals/stream')
  for await (const { event, data } of readEvents(stream.body!)) {
    if (event === 'approval') show(approvalSchema.parse(JSON.parse(data)))
    if (event === 'reset') {
      const { approvals } = await plane.get('/api/approvals?state=pending', pending)
      for (const approval of approvals.toReversed()) show(approval)
    }
  }
}
