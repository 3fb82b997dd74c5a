import { App, SocketModeReceiver, webApi } from '@slack/bolt'
import type { FastifyInstance } from 'fastify'
import type { SlackConfig } from '../../config/schema.ts'
import type { Channel } from '../../gate/notices/channel.ts'
import type { ChatVoting } from '../../gate/notices/chat-vote.ts'
import { SlackChannel } from './channel.ts'
import { HttpReceiver } from './http-receiver.ts'
import { listenToClicks } from './interactions.ts'
import { loggerOf } from './logger.ts'
import { SocketConnection } from './socket.ts'

export interface Slack {
  readonly channel: Channel
  /** The routes for the control plane in HTTP mode; `null` in Socket Mode. */
  readonly routes: ((server: FastifyInstance) => Promise<void>) | null
  /** Begins to connect in Socket Mode. Returns at once, whether Slack answers or not. */
  start(): void
  stop(): Promise<void>
}

/** For one call of Slack's API, in milliseconds. */
const timeout = 10_000

/** Sets up the channel without calling Slack, which may be unavailable. */
export function openSlack(config: SlackConfig, voting: Omit<ChatVoting, 'chat'>): Slack {
  const { team, bot_token, app_token, signing_secret, api_url } = config
  const { log } = voting.gate
  const logger = loggerOf(log)
  // No retries by the library: the outbox tries again and knows when, and waiting inside of a call
  // would block its slot.
  const clientOptions = {
    slackApiUrl: api_url,
    retryConfig: { retries: 0 },
    rejectRateLimitedCalls: true,
    timeout,
    logger,
  }
  const client = new webApi.WebClient(bot_token, clientOptions)
  const http = signing_secret === undefined ? null : new HttpReceiver(signing_secret, team, log)
  const socket = http
    ? null
    : new SocketModeReceiver({
        appToken: app_token!,
        logger,
        autoReconnectEnabled: false,
        installerOptions: { clientOptions },
      })
  const app = new App({
    receiver: http ?? socket!,
    authorize: async () => ({ botToken: bot_token, teamId: team }),
    convoStore: false,
    ignoreSelf: false,
    logger,
    clientOptions,
  })
  listenToClicks(app, client, {
    ...voting,
    chat: { channel: 'slack', title: 'Slack', tenant: team },
  })
  const connection = socket && new SocketConnection(socket, log)
  return {
    channel: new SlackChannel(client),
    routes: http?.routes ?? null,
    start: () => connection?.start(),
    stop: async () => connection?.stop(),
  }
}
