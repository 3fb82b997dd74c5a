import { Command } from 'commander'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { connect, type ControlPlane } from '../../control-plane.ts'
import { jsonText } from '../../json-text.ts'
import { readEvents } from '../../server-sent-events.ts'
import { approvalSchema, type ShownApproval } from '../../show-approval.ts'
import type { Terminal } from '../../terminal.ts'
import { visible } from '../../../core/visible.ts'

/** The pause before a stream that has ended is opened again, in milliseconds. */
const pause = 1000

export function watchApprovals(terminal: Terminal): Command {
  return new Command('watch')
    .description('print what waits, and approvals as they change, until interrupted')
    .option('--json', 'one JSON document a line')
    .action(async ({ json }: { json?: boolean }) => {
      const known = new Map<string, string>()
      const show = (approval: ShownApproval) => {
        const line = lineOf(approval)
        if (known.get(approval.id) === line) return
        known.set(approval.id, line)
        terminal.print(json ? jsonText(approval) : visible(line))
      }
      const { interrupted } = terminal
      try {
        // The control plane ends a stream from time to time, so that the credential is checked
        // again.
        for (;;) {
          await follow(await connect(terminal), show)
          await sleep(pause, undefined, { signal: interrupted })
        }
      } catch (error) {
        if (!interrupted.aborted) throw error
      }
    })
}

/**
 * One line with the approval's state and its votes: `approved … by Dana`, `pending … 1 of 2: Dana`.
 */
function lineOf(approval: ShownApproval): string {
  const { id, state, action } = approval
  const what = `${action.subject.subject} → ${action.resource}: ${action.summary}`
  return `${state.padEnd(11)} ${id}  ${what}${whoOf(approval)}`
}

function whoOf({ state, requirements, broken_glass }: ShownApproval): string {
  if (broken_glass) return `  (alone, in an emergency: ${broken_glass.name})`
  const votes = requirements.flatMap((one) => one.votes)
  const names = (decision: string) => [
    ...new Set(votes.filter((vote) => vote.decision === decision).map(({ name }) => name)),
  ]
  const no = votes.find(({ decision }) => decision === 'deny')
  if (no) return `  (by ${no.name}${no.reason ? `: ${no.reason}` : ''})`
  const yes = names('approve').join(', ')
  if (yes === '') return ''
  if (state !== 'pending') return `  (by ${yes})`
  const places = requirements.reduce((sum, { quorum }) => sum + quorum, 0)
  return `  (${names('approve').length} of ${places}: ${yes})`
}

const pending = z.object({ approvals: z.array(approvalSchema) })

/**
 * Shows approvals until the stream ends. The event `reset` says that anything may have changed; it
 * is also the first event of a stream.
 */
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
