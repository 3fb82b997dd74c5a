import {
  createServer,
  type RequestListener,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import { createServer as createTlsServer, type ServerOptions } from 'node:https'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

/** One request as the upstream really got it. */
export interface Arrived {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: string
}

/** An API that writes down everything that reaches it: the oracle of what ran, and how often. */
export interface CountingUpstream {
  readonly url: string
  readonly arrived: Arrived[]
  /** What it answers with from now on; 201 and the request's body unless told otherwise. */
  answer: (request: Arrived, response: ServerResponse) => void
  close(): Promise<void>
}

/** With a key and a certificate it speaks TLS. */
export async function startCountingUpstream(tls?: ServerOptions): Promise<CountingUpstream> {
  const arrived: Arrived[] = []
  const listener: RequestListener = (message, response) => {
    void buffer(message).then((body) => {
      const { method = '', url = '', headers } = message
      const request = { method, url, headers, body: body.toString() }
      arrived.push(request)
      upstream.answer(request, response)
    })
  }
  const server = tls ? createTlsServer(tls, listener) : createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const upstream: CountingUpstream = {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    arrived,
    answer: ({ method, url }, response) => {
      response.writeHead(method === 'GET' ? 200 : 201, { 'content-type': 'application/json' })
      response.end(JSON.stringify({ did: `${method} ${url}` }))
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
  return upstream
}
