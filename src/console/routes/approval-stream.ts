import type { ServerResponse } from 'node:http'
import { getApproval, votesOf } from '../../approvals/store.ts'
import type { GateContext } from '../../gate/context.ts'
import { approvalView } from '../../gate/view.ts'
import type { Caller } from '../caller.ts'
import type { ControlServer } from '../context.ts'
import { maySee } from './approvals.ts'

/** Milliseconds between two signs of life, so that proxies do not close the stream. */
const heartbeat = 15_000
/** Milliseconds after which a stream ends, and its page comes back with a credential that is looked at anew. */
const longest = 5 * 60_000

/** Server-sent events (WHATWG HTML, §9.2): `approval` with the whole of one that changed, `reset` when any of them may have. */
export async function approvalStream(
  app: ControlServer,
  { gate }: { gate: GateContext },
): Promise<void> {
  app.get(
    '/api/approvals/stream',
    { config: { access: 'person' }, schema: { summary: 'Approvals as they change' } },
    async (request, reply) => {
      reply.hijack()
      const { raw } = reply
      raw.writeHead(200, {
        'content-type': 'text/event-stream',
        'cache-control': 'no-store',
        'x-accel-buffering': 'no',
      })
      // A page that was away may have missed anything.
      send(raw, 'reset', {})
      const stop = gate.holds.watch((id) => {
        if (id === null) send(raw, 'reset', {})
        else void sendApproval(gate, raw, request.caller, id)
      })
      const beat = setInterval(() => raw.write(':\n\n'), heartbeat)
      const end = setTimeout(() => raw.end(), longest)
      raw.once('close', () => {
        stop()
        clearInterval(beat)
        clearTimeout(end)
      })
    },
  )
}

async function sendApproval(
  { store, log }: GateContext,
  raw: ServerResponse,
  caller: Caller | null,
  id: string,
): Promise<void> {
  try {
    const approval = await getApproval(store, id)
    if (!approval || !maySee(caller, approval)) return
    const votes = await votesOf(store, [id])
    send(raw, 'approval', approvalView(approval, votes.get(id)!))
  } catch (error) {
    // The page shows what it had; it looks again when the stream comes back.
    log.warn({ err: error, approval: id }, 'a live page was not told of a change')
    raw.end()
  }
}

/** JSON has no line breaks of its own, so an event is always one `data` line. */
function send(raw: ServerResponse, event: string, data: unknown): void {
  if (raw.writable) raw.write(`event: ${event}\ndata: ${JSON.stringify(data)}\n\n`)
}
