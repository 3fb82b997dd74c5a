import { verifySlackRequest, type App, type Receiver, type ReceiverEvent } from '@slack/bolt'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { Problem } from '../../core/errors.ts'
import type { Log } from '../../telemetry/log.ts'
import { isOfTeam } from './payload.ts'

/**
 * How far the time of a request may be from ours, before or after, in seconds (Slack, "Verifying
 * requests from Slack").
 */
const oldest = 300

/** In bytes. Larger than anything that Slack sends about our messages. */
const bodyLimit = 256 * 1024

/**
 * Takes Slack's requests on the control plane, and hands to Bolt only those that were signed with
 * the secret, just now, and are for this team.
 */
export class HttpReceiver implements Receiver {
  readonly #secret: string
  readonly #team: string
  readonly #log: Log
  // Set by Bolt, before anything listens.
  #app: App | undefined

  constructor(signingSecret: string, team: string, log: Log) {
    // Closed: with an empty secret everybody could sign. The configuration refuses it too.
    if (signingSecret === '') throw new Error('the signing secret of Slack is empty')
    this.#secret = signingSecret
    this.#team = team
    this.#log = log
  }

  init(app: App): void {
    this.#app = app
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {}

  /** A plugin for the control plane: `POST /slack/events`. */
  readonly routes = async (server: FastifyInstance): Promise<void> => {
    // The signature is over the bytes as they came.
    server.removeAllContentTypeParsers()
    server.addContentTypeParser('*', { parseAs: 'buffer', bodyLimit }, (_request, body, done) =>
      done(null, body),
    )
    server.post(
      '/slack/events',
      { config: { access: 'public' }, schema: { hide: true } },
      (request, reply) => this.#receive(request, reply),
    )
  }

  async #receive(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const text = Buffer.isBuffer(request.body) ? request.body.toString('utf8') : ''
    if (!this.#isSigned(request, text)) {
      this.#log.warn('a request to /slack/events was not signed by Slack')
      throw new Problem('unauthenticated', 'This was not signed by Slack, or not just now.')
    }
    const body = parse(text, request.headers['content-type'])
    if (body['type'] === 'url_verification') return reply.send({ challenge: body['challenge'] })
    if (!isOfTeam(body, this.#team)) {
      throw new Problem('forbidden', 'This is not about the workspace that is set up here.')
    }
    return this.#handOn(body, reply)
  }

  #isSigned({ headers }: FastifyRequest, body: string): boolean {
    const time = Number(headers['x-slack-request-timestamp'])
    const signature = headers['x-slack-signature']
    // Bolt accepts times in the future. Such a request could be kept, and replayed until then.
    if (!Number.isInteger(time) || Math.abs(Date.now() / 1000 - time) > oldest) return false
    if (typeof signature !== 'string') return false
    try {
      verifySlackRequest({
        signingSecret: this.#secret,
        body,
        headers: { 'x-slack-signature': signature, 'x-slack-request-timestamp': time },
      })
      return true
    } catch {
      // Closed: what cannot be verified counts as not signed.
      return false
    }
  }

  /**
   * Slack waits for three seconds only, so it is answered as soon as a listener acknowledges, not
   * when the listener has finished.
   */
  async #handOn(body: ReceiverEvent['body'], reply: FastifyReply): Promise<FastifyReply> {
    let acknowledged = false
    const event: ReceiverEvent = {
      body,
      ack: async (response?: unknown) => {
        if (acknowledged) return
        acknowledged = true
        await reply.send(response ?? '')
      },
    }
    await this.#app!.processEvent(event)
    if (!acknowledged) {
      throw new Problem('not-found', 'Nobody here listens to this.')
    }
    return reply
  }
}

/**
 * Interactions come as a form with one JSON document in it, events as JSON. A body that is signed
 * but cannot be read is not about our messages.
 */
function parse(text: string, contentType: string | undefined): Record<string, unknown> {
  const isForm = contentType?.startsWith('application/x-www-form-urlencoded')
  const json = isForm ? (new URLSearchParams(text).get('payload') ?? '{}') : text
  try {
    const value: unknown = JSON.parse(json)
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>
  } catch (error) {
    throw new Problem('bad-request', 'This is not JSON.', {}, { cause: error })
  }
  throw new Problem('bad-request', 'This is not a JSON object.')
}
