import type { FastifyRequest } from 'fastify'
import { getApproval } from '../../approvals/store.ts'
import { votesOf } from '../../approvals/votes.ts'
import { Problem } from '../../core/errors.ts'
import type { GateContext } from '../../gate/context.ts'
import { approvalView } from '../../gate/view.ts'
import type { ControlServer } from '../context.ts'
import { EventStream } from '../event-stream.ts'
import { maySee } from './approvals.ts'

/**
 * Live pages: the event `approval` with the whole of one that changed, and `reset` when any of them
 * may have.
 */
export async function approvalStream(
  app: ControlServer,
  { gate }: { gate: GateContext },
): Promise<void> {
  app.get(
    '/api/approvals/stream',
    {
      config: { access: 'person' },
      schema: { summary: 'Approvals as they change', produces: ['text/event-stream'] },
    },
    async (request, reply) => {
      reply.hijack()
      const stream = new EventStream(reply.raw)
      // A page that was away may have missed anything.
      stream.send('reset', {})
      const stop = gate.holds.watch((id) => {
        if (id === null) stream.send('reset', {})
        else void sendApproval(gate, stream, request, id)
      })
      stream.onClose(stop)
    },
  )
}

async function sendApproval(
  { store, log }: GateContext,
  stream: EventStream,
  request: FastifyRequest,
  id: string,
): Promise<void> {
  try {
    const approval = await getApproval(store, id)
    // Who may see it is looked at each time: a page stays open when its person has logged out, or
    // was disabled.
    if (!approval || !maySee(await request.callerNow(), approval)) return
    const votes = await votesOf(store, [id])
    stream.send('approval', approvalView(approval, votes.get(id)!))
  } catch (error) {
    // The page shows what it had; it looks again when the stream comes back, if its person may
    // still.
    stream.end()
    if (!(error instanceof Problem))
      log.warn({ err: error, approval: id }, 'a live page was not told of a change')
  }
}
