import type { AgentResponse } from '../client.ts'
import type { Exchange } from '../upstream/exchange.ts'
import type { Watch } from '../live.ts'
import { answerHeaders, type Answering } from '../response-headers.ts'
import type { Head } from '../upstream/response-parser.ts'
import { Tunnel, type Tunnelled } from './tunnel.ts'
import { acceptance, checkAccepted, type Opening } from './websocket.ts'

/** The agent's end of a WebSocket that is being opened. */
export interface AgentEnd {
  readonly opening: Opening
  readonly response: AgentResponse
}

/**
 * Opens a WebSocket that the upstream has agreed to (101), and passes it on until it is over.
 * Rejects with an `UpstreamFailure` if the upstream agreed to something else.
 */
export async function openWebSocket(
  { opening, response }: AgentEnd,
  exchange: Exchange,
  head: Head,
  answering: Answering,
  watch: Watch,
): Promise<Tunnelled> {
  checkAccepted(head, opening)
  const headers = acceptance(answerHeaders(head.headers, answering), opening)
  response.writeHead(101, 'Switching Protocols', headers)
  response.flushHeaders()
  const { socket: upstream, rest } = exchange.surrender()
  const tunnel = new Tunnel({ agent: response.upgrade!.take(), upstream, rest })
  const leave = watch({ endless: true }, (why) => tunnel.cut(why))
  try {
    return await tunnel.over
  } finally {
    leave()
  }
}
