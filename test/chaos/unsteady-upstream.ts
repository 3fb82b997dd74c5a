import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { setTimeout as later } from 'node:timers/promises'

/** What began to arrive: whatever is missing of it, the upstream may have acted on it. */
export interface Arrival {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly trace: string
  readonly span: string
  /** `null` where it broke off. */
  body: string | null
}

/** An API that writes down what reaches it, and answers as such things do on a bad day. */
export interface UnsteadyUpstream {
  readonly url: string
  readonly arrivals: Arrival[]
  /** From now on, every request has its answer, at once. */
  calm(): void
  storm(): void
  /** Cuts every connection. */
  cut(): void
  close(): Promise<void>
}

export async function startUnsteadyUpstream(random: () => number): Promise<UnsteadyUpstream> {
  const arrivals: Arrival[] = []
  let isCalm = false

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '', headers } = request
    const [, trace = '', span = ''] = String(headers['traceparent']).split('-')
    const arrival: Arrival = { method, url, headers, trace, span, body: null }
    arrivals.push(arrival)
    try {
      arrival.body = await text(request)
    } catch {
      return
    }
    const fate = isCalm ? 1 : random()
    if (fate < 0.08) return void request.socket.destroy()
    if (fate < 0.6) await later(random() * 400)
    else if (fate < 0.7) await later(random() * 5_000)
    if (fate < 0.14) {
      response
        .writeHead(201, { 'content-length': 10 })
        .write('half', () => request.socket.destroy())
    } else {
      response.writeHead(fate < 0.2 ? 500 : 201, { 'content-type': 'application/json' }).end('{}')
    }
  }

  const server = createServer((request, response) => void serve(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrivals,
    calm: () => void (isCalm = true),
    storm: () => void (isCalm = false),
    cut: () => server.closeAllConnections(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
