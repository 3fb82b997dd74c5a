import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'

/** An element or an action of a card, as far as tests look into one. */
export interface CardPart {
  readonly type: string
  readonly title?: string
  readonly url?: string
  readonly verb?: string
  readonly data?: { readonly ballot: Record<string, unknown> }
  readonly card?: Card
  readonly [member: string]: unknown
}

export interface Card {
  readonly body: CardPart[]
  readonly actions: CardPart[]
  readonly [member: string]: unknown
}

/** A message as Teams has it now. */
export interface TeamsMessage {
  readonly conversation: string
  readonly id: string
  summary: string
  card: Card
  edits: number
}

/** How calls are answered: as Teams would, or as a Teams in trouble. */
export type TeamsTrouble =
  | 'none'
  | 'silent'
  | { readonly status: number; readonly retryAfter?: number; readonly code?: string }

/**
 * Teams on loopback, with what belongs to it: it speaks as much of the Bot Connector API as Sallyport uses, gives the bot its tokens as Entra does, publishes the keys
 * of Bot Framework, and signs what its users do, with real signatures.
 */
export interface TeamsServer {
  readonly url: string
  readonly tenant: string
  readonly appId: string
  readonly clientSecret: string
  /** The configuration that leads here. */
  readonly config: string
  /** Of the one team that it has. */
  readonly team: { readonly id: string; readonly channel: string }
  readonly messages: readonly TeamsMessage[]
  /** Method and path of the calls, those that were answered with trouble too. */
  readonly calls: readonly string[]
  setTrouble(trouble: TeamsTrouble): void
  /** Entra gives no tokens, or gives them again. */
  refuseTokens(refuse: boolean): void
  /** The next posting is taken, and its answer is lost. */
  loseNextAnswer(): void
  /** Resolves with the first that fits, when there is one. */
  message(fits: (message: TeamsMessage) => boolean): Promise<TeamsMessage>
  /** Takes a message away, as its channel's owner can. */
  delete(message: TeamsMessage): void
  /** What Teams sends when somebody presses a button of this message. */
  pressed(
    message: Pick<TeamsMessage, 'conversation' | 'id' | 'card'>,
    title: string,
    user: string,
    inputs?: Record<string, string>,
  ): Activity
  /** What Teams sends when the app is installed in its team, or for a person. */
  installed(where: 'team' | { readonly person: string }): Activity
  /** Any activity, as from Teams. */
  activity(type: string, user: string, more?: Record<string, unknown>): Activity
  /** A token of Bot Framework, for this bot, for five minutes, unless the claims say otherwise. */
  token(claims?: Record<string, unknown>, header?: Record<string, unknown>): Promise<string>
  /** Ends every connection on which somebody still waits for an answer. */
  hangUp(): void
  close(): Promise<void>
}

export type Activity = Record<string, unknown>

const tenant = 'aaaaaaaa-0000-4000-8000-000000000001'
const appId = 'bbbbbbbb-0000-4000-8000-000000000002'
const clientSecret = 'client-secret-of-the-test'
const team = { id: '19:team@thread.tacv2', channel: '19:approvals@thread.tacv2' }

export async function startTeamsServer(): Promise<TeamsServer> {
  const { privateKey, publicKey } = await generateKeyPair('RS256')
  const kid = crypto.randomUUID()
  const messages: TeamsMessage[] = []
  const calls: string[] = []
  let trouble: TeamsTrouble = 'none'
  let refuse = false
  let loseNext = false
  let count = 0

  const server = createServer((request, response) => void serve(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const jwk = { ...(await exportJWK(publicKey)), kid, alg: 'RS256', use: 'sig' }

  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const path = request.url!
    const body = await text(request)
    const answer = (status: number, value: object) => {
      response.setHeader('content-type', 'application/json')
      response.writeHead(status).end(JSON.stringify(value))
    }
    // Entra's own keys are others, but whoever has both is the stronger attacker.
    const keys = ['/bot/.well-known/keys', `/entra/${tenant}/discovery/v2.0/keys`]
    if (keys.includes(path)) return answer(200, { keys: [jwk] })
    if (path === `/entra/${tenant}/oauth2/v2.0/token`) return answer(...(await botToken(body)))
    calls.push(`${request.method} ${path}`)
    if (trouble === 'silent') return
    if (trouble !== 'none') {
      const { status, retryAfter, code } = trouble
      if (retryAfter !== undefined) response.setHeader('retry-after', retryAfter)
      return answer(status, code === undefined ? {} : { error: { code, message: 'no' } })
    }
    if (!request.headers.authorization?.startsWith('Bearer ey')) return answer(401, {})
    const [status, value] = connect(request.method!, path, body)
    if (loseNext && request.method === 'POST') {
      loseNext = false
      response.destroy()
      return
    }
    answer(status, value)
  }

  /** Client credentials, as Entra takes them (RFC 6749 §4.4). */
  async function botToken(body: string): Promise<[number, object]> {
    const form = Object.fromEntries(new URLSearchParams(body))
    const asked = {
      grant_type: 'client_credentials',
      client_id: appId,
      client_secret: clientSecret,
      scope: 'https://api.botframework.com/.default',
    }
    const fits = Object.entries(asked).every(([name, value]) => form[name] === value)
    if (refuse || !fits) return [401, { error: 'invalid_client' }]
    const access_token = await new SignJWT({ appid: appId })
      .setProtectedHeader({ alg: 'RS256', kid })
      .setExpirationTime('1h')
      .sign(privateKey)
    return [200, { access_token, token_type: 'Bearer', expires_in: 3600 }]
  }

  /** Bot Connector API 3.0. */
  function connect(method: string, path: string, body: string): [number, object] {
    if (path === `/amer/v3/teams/${team.id}/conversations`) {
      const conversations = [{ id: team.id }, { id: team.channel, name: 'Data Approvals' }]
      return [200, { conversations }]
    }
    const [, conversation = '', id] =
      /^\/(?:amer|teams)\/v3\/conversations\/([^/]+)\/activities(?:\/([^/]+))?$/.exec(path) ?? []
    if (conversation === '') return [404, {}]
    const { summary = '', attachments } = JSON.parse(body) as {
      summary?: string
      attachments: { content: Card }[]
    }
    const card = attachments[0]!.content
    if (method === 'POST') {
      const posted = { conversation: decodeURIComponent(conversation), id: `17000000000${++count}` }
      messages.push({ ...posted, summary, card, edits: 0 })
      return [201, { id: posted.id }]
    }
    const message = messages.find(
      (one) => one.id === id && one.conversation === decodeURIComponent(conversation),
    )
    if (!message) return [404, { error: { code: 'ActivityNotFoundInConversation' } }]
    Object.assign(message, { summary, card, edits: message.edits + 1 })
    return [200, { id }]
  }

  const activity: TeamsServer['activity'] = (type, user, more = {}) => ({
    type,
    id: `f:${crypto.randomUUID()}`,
    timestamp: new Date().toISOString(),
    channelId: 'msteams',
    serviceUrl: `${url}/amer/`,
    from: { id: `29:${user}`, name: user, aadObjectId: user },
    recipient: { id: `28:${appId}`, name: 'Sallyport' },
    conversation: { id: team.id, conversationType: 'channel', tenantId: tenant, isGroup: true },
    channelData: { tenant: { id: tenant }, team: { id: team.id, name: 'Data People' } },
    ...more,
  })

  return {
    url,
    tenant,
    appId,
    clientSecret,
    config: `  teams:
    tenant: ${tenant}
    app_id: ${appId}
    client_secret: ${clientSecret}
    endpoints:
      login: ${url}/entra
      metadata: ${url}/bot/.well-known/openidconfiguration
      service: ${url}/teams`,
    team,
    messages,
    calls,
    setTrouble(is) {
      trouble = is
    },
    refuseTokens(is) {
      refuse = is
    },
    loseNextAnswer() {
      loseNext = true
    },
    message: (fits) => until(() => messages.find(fits)),
    delete(message) {
      messages.splice(
        messages.findIndex(({ id }) => id === message.id),
        1,
      )
    },
    pressed(message, title, user, inputs = {}) {
      const { verb, data } = buttonOf(message, title) ?? {}
      return activity('invoke', user, {
        name: 'adaptiveCard/action',
        replyToId: message.id,
        conversation: {
          id: `${message.conversation};messageid=${message.id}`,
          conversationType: 'channel',
          tenantId: tenant,
        },
        value: {
          action: { type: 'Action.Execute', title, verb, data: { ...data, ...inputs } },
          trigger: 'manual',
        },
      })
    },
    installed(where) {
      const membersAdded = [{ id: `28:${appId}` }]
      if (where === 'team') return activity('conversationUpdate', 'installer', { membersAdded })
      return activity('conversationUpdate', where.person, {
        membersAdded,
        conversation: {
          id: `a:${where.person}`,
          conversationType: 'personal',
          tenantId: tenant,
        },
        channelData: { tenant: { id: tenant } },
      })
    },
    activity,
    token(claims = {}, header = {}) {
      const now = Math.floor(Date.now() / 1000)
      return new SignJWT({
        iss: 'https://api.botframework.com',
        aud: appId,
        serviceurl: `${url}/amer/`,
        nbf: now,
        exp: now + 300,
        ...claims,
      })
        .setProtectedHeader({ alg: 'RS256', kid, ...header })
        .sign(privateKey)
    },
    hangUp: () => server.closeAllConnections(),
    close() {
      server.closeAllConnections()
      return new Promise((resolve) => server.close(() => resolve()))
    },
  }
}

/** The button of this title, if the card has it; also one that comes after a reason has been asked for. */
export function buttonOf({ card }: Pick<TeamsMessage, 'card'>, title: string) {
  const all = card.actions.flatMap((one) => [...(one.card?.actions ?? []), one])
  return all.find((one) => one.title === title && one.type !== 'Action.ShowCard')
}

async function until<T>(look: () => T | undefined): Promise<T> {
  for (;;) {
    const found = look()
    if (found !== undefined) return found
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}
