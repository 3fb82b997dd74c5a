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
  /** For the control plane: where Teams sends what is clicked. */
  readonly routes: (server: FastifyInstance) => Promise<void>
}

/** Milliseconds for one call of Teams' API. */
const timeout = 10_000

/** Sets Teams up. Nothing is asked of Teams yet: it may be away. Rejects without credentials. */
export async function openTeams(
  config: TeamsConfig,
  voting: Omit<ChatVoting, 'chat'>,
): Promise<Teams> {
  const { tenant, app_id, client_secret } = config
  // Closed: the SDK can be told to listen to everybody when there is nothing to check a token
  // against. The configuration refuses it too.
  if (tenant === '' || app_id === '' || client_secret === '')
    throw new Error('the credentials of Teams are empty')
  const { gate } = voting
  const cloud = cloudOf(config)
  const logger = loggerOf(gate.log)
  const receiver = new Receiver(
    { issuer: cloud.environment.tokenIssuer, service: cloud.service },
    gate.log,
  )
  // Said outright, since what is left out the SDK takes from environment variables, and one of them
  // turns its checks off.
  const app = new App({
    clientId: app_id,
    tenantId: tenant,
    // An empty one, so that the token below is what is shown.
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
