import type { Client as ApiClient } from '@microsoft/teams.api'
import { App } from '@microsoft/teams.apps'
import type { FastifyInstance } from 'fastify'
import type { TeamsConfig } from '../../config/schema.ts'
import type { Channel } from '../../gate/notices/channel.ts'
import type { ChatVoting } from '../../gate/notices/chat-vote.ts'
import { createBotToken } from './bot-token.ts'
import { TeamsChannel } from './channel.ts'
import { cloudOf } from './clouds.ts'
import { listen } from './listen.ts'
import { loggerOf } from './logger.ts'
import { Receiver } from './receiver.ts'

export interface Teams {
  readonly channel: Channel
  /** The routes for the control plane, to which Teams sends clicks. */
  readonly routes: (server: FastifyInstance) => Promise<void>
}

/** For one call of Teams' API, in milliseconds. */
const timeout = 10_000

/**
 * Sets up the channel without calling Teams, which may be unavailable. Rejects when credentials are
 * missing.
 */
export async function openTeams(
  config: TeamsConfig,
  voting: Omit<ChatVoting, 'chat'>,
): Promise<Teams> {
  const { tenant, app_id, client_secret } = config
  // Closed: without these the SDK has nothing to check a token against, and can be set to listen to
  // everybody. The configuration refuses them empty too.
  if (tenant === '' || app_id === '' || client_secret === '')
    throw new Error('the credentials of Teams are empty')
  const { gate } = voting
  const cloud = cloudOf(config)
  const logger = loggerOf(gate.log)
  const receiver = new Receiver(
    { issuer: cloud.environment.tokenIssuer, service: cloud.service },
    gate.log,
  )
  // All given explicitly, because the SDK takes what is left out from environment variables, and
  // one of them turns off its checks.
  const app = new App({
    clientId: app_id,
    tenantId: tenant,
    // Empty, so that the SDK uses the token below.
    clientSecret: '',
    token: createBotToken(config, cloud),
    cloud: cloud.environment,
    serviceUrl: cloud.service,
    dangerouslyAllowUnauthenticatedRequests: false,
    messagingEndpoint: '/teams/messages',
    httpServerAdapter: receiver,
    client: { timeout, logger },
    telemetry: { agent365: false },
    logger,
  })
  const api = (serviceUrl: string): ApiClient => app.api.clone({ serviceUrl })
  const chat = { channel: 'teams', title: 'Teams', tenant }
  listen(app, { ...voting, chat, ours: { tenant, app_id }, api })
  await app.initialize()
  const directory = { db: gate.store, tenant, service: cloud.service, api }
  return { channel: new TeamsChannel(directory), routes: receiver.routes }
}
