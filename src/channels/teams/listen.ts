import type { Client as ApiClient } from '@microsoft/teams.api'
import type { App } from '@microsoft/teams.apps'
import type { ChatVoting } from '../../gate/notices/chat-vote.ts'
import { wordsCard } from './card.ts'
import { editCard } from './channel.ts'
import { clickCard } from './clicks.ts'
import { objection, type Ours } from './genuine.ts'
import { notePlaceOf } from './installations.ts'
import { readClick } from './payload.ts'
import type { Place } from './places.ts'

export interface Listening extends ChatVoting {
  readonly ours: Ours
  readonly api: (serviceUrl: string) => ApiClient
}

/** Handles activities whose token is valid. */
export function listen(app: App, deps: Listening): void {
  const { gate, ours, api } = deps
  const { store, log } = gate

  // For every kind of activity: without `next()`, no listener is called.
  app.use(async ({ activity, next }) => {
    const why = await objection(store, ours, activity)
    if (why === null) return next()
    log.warn({ why }, 'something from Teams was not listened to')
    return { status: 403 }
  })

  app.on('card.action', async ({ activity }) => {
    const click = readClick(activity)
    if (!click) {
      log.warn('a card in Teams carries no ballot of ours')
      return { status: 400 }
    }
    const edit: Parameters<typeof clickCard>[0]['edit'] = (message, card) =>
      editCard(api(activity.serviceUrl!), message, card)
    const value = await clickCard({ ...deps, edit }, click)
    return { statusCode: 200, type: 'application/vnd.microsoft.card.adaptive', value }
  })

  app.on('conversationUpdate', async ({ activity }) => {
    await notePlaceOf(store, ours.tenant, activity)
  })

  app.on('installationUpdate', async ({ activity }) => {
    await notePlaceOf(store, ours.tenant, activity)
  })

  // Somebody who writes to the bot is told how rules refer to this place.
  app.on('message', async ({ activity, send }) => {
    const place = await notePlaceOf(store, ours.tenant, activity)
    if (place) await send(wordsCard(nameOf(place, activity.conversation.id), deps.consoleUrl()))
  })
}

function nameOf({ kind, id, conversation }: Place, said: string): string {
  const target = kind === 'person' ? `@${id}` : kind === 'chat' ? conversation : said.split(';')[0]
  return `Rules call this place teams:${target}`
}
