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
 * The stream for live pages: the event `approval` with all of an approval that has changed, and
 * `reset` when any may have changed.
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
      // A page that was disconnected may have missed anything.
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
    // Checked for each event, because a page can stay open after its person has logged out or was
    // disabled.
    if (!approval || !maySee(await request.callerNow(), approval)) return
    const votes = await votesOf(store, [id])
    stream.send('approval', approvalView(approval, votes.get(id)!))
  } catch (error) {
    // The page keeps showing what it has. It connects again, which succeeds if its person still may
    // see this.
    stream.end()
    if (!(error instanceof Problem))
      log.warn({ err: error, approval: id }, 'a live page was not told of a change')
  }
}
