import { createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { WebSocketServer, type WebSocket } from 'ws'

/** A block of a message, as far as tests look into one. */
export interface SlackBlock {
  readonly type: string
  readonly elements?: readonly {
    readonly type: string
    readonly action_id?: string
    readonly value?: string
    readonly url?: string
    readonly text?: unknown
    readonly elements?: readonly { readonly text?: string }[]
  }[]
  readonly [member: string]: unknown
}

/** A message as Slack has it now. */
export interface SlackMessage {
  readonly channel: string
  readonly ts: string
  readonly threadTs: string | null
  text: string
  blocks: SlackBlock[]
  edits: number
}

export interface Ephemeral {
  readonly channel: string
  readonly user: string
  readonly text: string
  readonly blocks: SlackBlock[]
}

/** How calls are answered: as Slack would, or as a Slack in trouble. */
export type Trouble = 'none' | 'silent' | { readonly status: number; readonly retryAfter?: number }

export interface SignedRequest {
  readonly body: string
  readonly headers: Record<string, string>
}

/**
 * Slack on loopback: it speaks as much of the Web API and of Socket Mode as Sallyport uses, keeps the messages, and signs what its users do, with real signatures.
 */
export interface SlackServer {
  readonly apiUrl: string
  readonly team: string
  readonly signingSecret: string
  readonly messages: readonly SlackMessage[]
  readonly ephemerals: readonly Ephemeral[]
  readonly views: readonly Record<string, unknown>[]
  /** Names of the methods that were called, those that were answered with trouble too. */
  readonly calls: readonly string[]
  setTrouble(trouble: Trouble): void
  /** The next posting is taken, and its answer is lost. */
  loseNextAnswer(): void
  /** Resolves with the first that fits, when there is one. */
  message(fits: (message: SlackMessage) => boolean): Promise<SlackMessage>
  /** What this user was told, from the nth of all such messages on. */
  ephemeral(user: string, from: number): Promise<Ephemeral>
  /** The modal that is opened next, from the nth of all on. */
  view(from: number): Promise<Record<string, unknown>>
  /** What Slack sends when somebody presses a button of this message. */
  pressed(message: SlackMessage, action: string, user: string, more?: object): object
  /** What Slack sends when somebody submits a modal. */
  submitted(view: Record<string, unknown>, user: string, reason: string | null): object
  /** Signs as Slack does; `at` in seconds since the epoch. */
  sign(payload: object, options?: { secret?: string; at?: number }): SignedRequest
  /** Headers with a signature of this body. */
  headersFor(body: string, headers: Record<string, string>): Record<string, string>
  /** Takes a message away, as its channel's owner can. */
  delete(message: SlackMessage): void
  /** Ends every connection on which somebody still waits for an answer. */
  hangUp(): void
  /** Sends over the open socket what nobody will acknowledge; resolves when a later message has been. */
  sendUnheard(payload: object): Promise<void>
  /** Sends over the open socket, and resolves when it has been acknowledged. */
  sendOverSocket(payload: object): Promise<void>
  /** Resolves when a client is connected in Socket Mode. */
  connected(): Promise<void>
  dropSockets(): void
  close(): Promise<void>
}

const team = 'T0TEST'
const signingSecret = '8f742231b10e8888abcd99yyyzzz85a5'

/** Slack, "Verifying requests from Slack". */
function signatureOf(secret: string, time: string, body: string): string {
  return `v0=${createHmac('sha256', secret).update(`v0:${time}:${body}`).digest('hex')}`
}

export async function startSlackServer(): Promise<SlackServer> {
  const messages: SlackMessage[] = []
  const ephemerals: Ephemeral[] = []
  const views: Record<string, unknown>[] = []
  const calls: string[] = []
  const acknowledged = new Map<string, () => void>()
  const sockets = new Set<WebSocket>()
  let trouble: Trouble = 'none'
  let loseNext = false
  let count = 0

  const server = createServer((request, response) => void serve(request, response))
  const upgrades = new WebSocketServer({ server, path: '/socket' })
  upgrades.on('connection', (socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    socket.on('message', (data: Buffer) => {
      const { envelope_id: id } = JSON.parse(data.toString()) as { envelope_id: string }
      acknowledged.get(id)?.()
    })
    socket.send(JSON.stringify({ type: 'hello', num_connections: 1 }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const method = (request.url ?? '').replace('/api/', '')
    const args = await readArguments(request)
    calls.push(method)
    if (trouble === 'silent') return
    if (trouble !== 'none') {
      const { status, retryAfter } = trouble
      if (retryAfter !== undefined) response.setHeader('retry-after', retryAfter)
      response.writeHead(status).end('{}')
      return
    }
    const lose = loseNext && method === 'chat.postMessage'
    const answer = answerTo(method, args)
    if (lose) {
      loseNext = false
      response.destroy()
      return
    }
    response.setHeader('content-type', 'application/json')
    response.end(JSON.stringify(answer))
  }

  function answerTo(method: string, args: Record<string, string>): object {
    const blocks = JSON.parse(args['blocks'] ?? '[]') as SlackBlock[]
    const { channel = '', text = '', ts = '' } = args
    switch (method) {
      case 'chat.postMessage': {
        const id = channel.replace(/^#/, 'C-').toUpperCase()
        const threadTs = args['thread_ts'] ?? null
        const posted = { channel: id, ts: `1700000000.${String(++count).padStart(6, '0')}` }
        messages.push({ ...posted, threadTs, text, blocks, edits: 0 })
        return { ok: true, ...posted }
      }
      case 'chat.update': {
        const message = messages.find((one) => one.channel === channel && one.ts === ts)
        if (!message) return { ok: false, error: 'message_not_found' }
        Object.assign(message, { text, blocks, edits: message.edits + 1 })
        return { ok: true, channel, ts }
      }
      case 'chat.postEphemeral':
        ephemerals.push({ channel, user: args['user'] ?? '', text, blocks })
        return { ok: true }
      case 'views.open':
        views.push(JSON.parse(args['view'] ?? '{}') as Record<string, unknown>)
        return { ok: true, view: { id: 'V1' } }
      case 'apps.connections.open':
        return { ok: true, url: `ws://127.0.0.1:${port}/socket` }
      default:
        return { ok: false, error: 'unknown_method' }
    }
  }

  async function sendOverSocket(payload: object): Promise<void> {
    const [socket] = sockets
    const id = crypto.randomUUID()
    const done = new Promise<void>((resolve) => acknowledged.set(id, resolve))
    socket!.send(JSON.stringify({ type: 'interactive', envelope_id: id, payload }))
    await done
  }

  const user = (id: string) => ({ id, name: id.toLowerCase(), team_id: 'T0TEST' })

  return {
    apiUrl: `http://127.0.0.1:${port}/api/`,
    team,
    signingSecret,
    messages,
    ephemerals,
    views,
    calls,
    setTrouble(is) {
      trouble = is
    },
    loseNextAnswer() {
      loseNext = true
    },
    message: (fits) => until(() => messages.find(fits)),
    ephemeral: (of, from) => until(() => ephemerals.slice(from).find((one) => one.user === of)),
    view: (from) => until(() => views[from]),
    pressed(message, action, by, more = {}) {
      const value = buttonOf(message, action)?.value
      return {
        type: 'block_actions',
        team: { id: 'T0TEST', domain: 'test' },
        user: user(by),
        api_app_id: 'A0TEST',
        trigger_id: `trigger-${++count}`,
        container: { type: 'message', message_ts: message.ts, channel_id: message.channel },
        channel: { id: message.channel, name: 'channel' },
        message: { type: 'message', ts: message.ts, text: message.text },
        actions: [{ type: 'button', action_id: action, block_id: 'b', action_ts: '1', value }],
        ...more,
      }
    },
    submitted: (view, by, reason) => ({
      type: 'view_submission',
      team: { id: 'T0TEST', domain: 'test' },
      user: user(by),
      api_app_id: 'A0TEST',
      trigger_id: `trigger-${++count}`,
      view: {
        ...view,
        id: 'V1',
        type: 'modal',
        state: { values: { reason: { text: { type: 'plain_text_input', value: reason } } } },
      },
    }),
    sign(payload, { secret = signingSecret, at = Date.now() / 1000 } = {}) {
      const body = new URLSearchParams({ payload: JSON.stringify(payload) }).toString()
      const time = String(Math.floor(at))
      return {
        body,
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          'x-slack-request-timestamp': time,
          'x-slack-signature': signatureOf(secret, time, body),
        },
      }
    },
    headersFor(body, headers) {
      const time = headers['x-slack-request-timestamp']!
      return { ...headers, 'x-slack-signature': signatureOf(signingSecret, time, body) }
    },
    delete(message) {
      messages.splice(
        messages.findIndex(({ ts }) => ts === message.ts),
        1,
      )
    },
    hangUp: () => server.closeAllConnections(),
    async sendUnheard(payload) {
      const [socket] = sockets
      const id = crypto.randomUUID()
      let heard = false
      acknowledged.set(id, () => (heard = true))
      socket!.send(JSON.stringify({ type: 'interactive', envelope_id: id, payload }))
      await sendOverSocket({
        type: 'block_actions',
        team: { id: team },
        user: user('U-NOBODY'),
        actions: [{ type: 'button', action_id: 'sallyport_open', block_id: 'b' }],
      })
      if (heard) throw new Error('it was acknowledged')
    },
    sendOverSocket,
    connected: async () => void (await until(() => sockets.size > 0 || undefined)),
    dropSockets() {
      for (const socket of sockets) socket.terminate()
    },
    async close() {
      upgrades.close()
      for (const socket of sockets) socket.terminate()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

/** The button of this name, if the message has it. */
export function buttonOf(message: Pick<SlackMessage, 'blocks'>, action: string) {
  return message.blocks
    .flatMap(({ type, elements }) => (type === 'actions' ? (elements ?? []) : []))
    .find(({ action_id: id }) => id === action)
}

/** The Web API takes forms and JSON; what is no string in a form is JSON in it. */
async function readArguments(request: IncomingMessage): Promise<Record<string, string>> {
  let text = ''
  for await (const chunk of request) text += String(chunk)
  if (!request.headers['content-type']?.includes('json')) {
    return Object.fromEntries(new URLSearchParams(text))
  }
  return Object.fromEntries(
    Object.entries(JSON.parse(text) as Record<string, unknown>).map(([name, value]) => [
      name,
      typeof value === 'string' ? value : JSON.stringify(value),
    ]),
  )
}

async function until<T>(look: () => T | undefined): Promise<T> {
  for (;;) {
    const found = look()
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
