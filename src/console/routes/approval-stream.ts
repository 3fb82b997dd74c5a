import { getApproval, votesOf } from '../../approvals/store.ts'
import type { GateContext } from '../../gate/context.ts'
import { approvalView } from '../../gate/view.ts'
import type { Caller } from '../caller.ts'
import type { ControlServer } from '../context.ts'
import { EventStream } from '../event-stream.ts'
import { maySee } from './approvals.ts'

/** Live pages: the event `approval` with the whole of one that changed, and `reset` when any of them may have. */
export async function approvalStream(
  app: ControlServer,
  { gate }: { gate: GateContext },
): Promise<void> {
  app.get(
    '/api/approvals/stream',
    { config: { access: 'person' }, schema: { summary: 'Approvals as they change' } },
    async (request, reply) => {
      reply.hijack()
      const stream = new EventStream(reply.raw)
      // A page that was away may have missed anything.
      stream.send('reset', {})
      const stop = gate.holds.watch((id) => {
        if (id === null) stream.send('reset', {})
        else void sendApproval(gate, stream, request.caller, id)
      })
      stream.onClose(stop)
    },
  )
}

async function sendApproval(
  { store, log }: GateContext,
  stream: EventStream,
  caller: Caller | null,
  id: string,
): Promise<void> {
  try {
    const approval = await getApproval(store, id)
    if (!approval || !maySee(caller, approval)) return
    const votes = await votesOf(store, [id])
    stream.send('approval', approvalView(approval, votes.get(id)!))
  } catch (error) {
    // The page shows what it had; it looks again when the stream comes back.
    log.warn({ err: error, approval: id }, 'a live page was not told of a change')
    stream.end()
  }
}
