import type { HttpRouteHandler, IHttpServerAdapter } from '@microsoft/teams.apps'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { decodeJwt } from 'jose'
import { z } from 'zod'
import { Problem } from '../../core/errors.ts'
import type { Log } from '../../telemetry/log.ts'

/** In bytes. Larger than anything that Teams sends about our cards. */
const bodyLimit = 256 * 1024

const claimsSchema = z.object({ iss: z.string(), serviceurl: z.string(), exp: z.number() })
const bodySchema = z.looseObject({
  serviceUrl: z.string(),
  type: z.string(),
  name: z.unknown().optional(),
})

/**
 * The kinds of activities for which we have listeners. The SDK has listeners of its own, for logins
 * that we do not use, and it calls them before any other.
 */
const listened = new Set(['message', 'conversationUpdate', 'installationUpdate'])

const isListenedTo = ({ type, name }: z.output<typeof bodySchema>): boolean =>
  type === 'invoke' ? name === 'adaptiveCard/action' : listened.has(type)

/** Who signs the tokens of requests to bots, and where these may come from. */
export interface Sender {
  readonly issuer: string
  /** The address of its service. Only the origin counts, because paths differ by region. */
  readonly service: string
}

/**
 * Takes Teams' requests on the control plane, and hands them to the SDK, which verifies their
 * tokens: signature, audience, expiry, and that the signed service URL is the body's. What the SDK
 * would be content without is required here.
 */
export class Receiver implements IHttpServerAdapter {
  readonly #sender: Sender
  readonly #log: Log
  // Set by the SDK when it is initialized, before anything listens.
  #handler: HttpRouteHandler | undefined

  constructor(sender: Sender, log: Log) {
    this.#sender = sender
    this.#log = log
  }

  registerRoute(_method: 'POST', _path: string, handler: HttpRouteHandler): void {
    this.#handler = handler
  }

  /** A plugin for the control plane: `POST /teams/messages`. */
  readonly routes = async (server: FastifyInstance): Promise<void> => {
    server.post(
      '/teams/messages',
      {
        bodyLimit,
        // Limited, because anybody can send nonsense, and each request could make the SDK fetch
        // keys.
        config: { access: 'public', rateLimit: { max: 600, timeWindow: '1 minute' } },
        schema: { hide: true },
      },
      (request, reply) => this.#receive(request, reply),
    )
  }

  async #receive(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const token = /^Bearer ([\w-]+\.[\w-]+\.[\w-]+)$/.exec(request.headers.authorization ?? '')?.[1]
    const body = bodySchema.safeParse(request.body).data
    if (token === undefined || !body || !this.#comesFromTeams(token)) throw this.#refused()
    if (!isListenedTo(body)) throw new Problem('not-found', 'Nobody here listens to this.')
    const answer = await this.#handler!({ body, headers: { authorization: `Bearer ${token}` } })
    if (answer.status === 401) throw this.#refused()
    if (answer.status >= 500) {
      // Closed: a click that failed before its vote was recorded is no vote. The card is still
      // there and can be clicked again.
      throw new Problem('store-unavailable', 'This came to nothing. Try again.')
    }
    return reply.code(answer.status).send(answer.body ?? '')
  }

  /**
   * The token is not verified yet, so this can only be a reason to refuse it. The SDK also takes
   * tokens that Entra made for the bot, without a service URL: any application, of any tenant, to
   * which Entra gives one could claim to be anybody. And it takes those of Bot Framework's other
   * channels (Web Chat, Direct Line), where whoever writes chooses who they are. Closed to all of
   * them.
   */
  #comesFromTeams(token: string): boolean {
    try {
      const { iss, serviceurl } = claimsSchema.parse(decodeJwt(token))
      const { issuer, service } = this.#sender
      return iss === issuer && new URL(serviceurl).origin === new URL(service).origin
    } catch {
      // Closed: what cannot be read is not a token of Bot Framework.
      return false
    }
  }

  #refused(): Problem {
    this.#log.warn('a request to /teams/messages was not signed by Bot Framework for Teams')
    return new Problem(
      'unauthenticated',
      'This was not signed by Bot Framework, for this bot, for Teams.',
    )
  }
}
