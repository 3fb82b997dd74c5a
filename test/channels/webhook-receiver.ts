import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Webhook } from 'standardwebhooks'
import type { PendingApproval } from '../support/gateway-client.ts'

/** As much of it as tests look at. */
export type WebhookApproval = PendingApproval & {
  readonly requirements: readonly { readonly votes: readonly { readonly name: string }[] }[]
}

export interface ReceivedWebhook {
  readonly id: string
  readonly headers: Record<string, string>
  readonly body: string
  /** What it says, if the signature is right. */
  readonly message: {
    readonly type: string
    readonly data: { readonly link: string; readonly approval: WebhookApproval }
  }
}

/** Somebody's receiver, which checks signatures with the library of the specification. */
export interface WebhookReceiver {
  readonly url: string
  readonly received: readonly ReceivedWebhook[]
  /** How the next requests are answered. */
  answer(status: number, headers?: Record<string, string>): void
  /** Resolves with the first that fits. */
  message(fits: (message: ReceivedWebhook) => boolean): Promise<ReceivedWebhook>
  close(): Promise<void>
}

export async function startWebhookReceiver(secret: string): Promise<WebhookReceiver> {
  const received: ReceivedWebhook[] = []
  let next: { status: number; headers: Record<string, string> } = { status: 204, headers: {} }
  const server = createServer((request, response) => void serve(request, response))
  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = ''
    for await (const chunk of request) body += String(chunk)
    const headers = request.headers as Record<string, string>
    const message = new Webhook(secret).verify(body, headers) as ReceivedWebhook['message']
    received.push({ id: headers['webhook-id']!, headers, body, message })
    response.writeHead(next.status, next.headers).end()
  }
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/hooks`,
    received,
    answer(status, headers = {}) {
      next = { status, headers }
    },
    async message(fits) {
      for (;;) {
        const found = received.find(fits)
        if (found) return found
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
    },
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}
