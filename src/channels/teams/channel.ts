import type { Client as ApiClient } from '@microsoft/teams.api'
import type { IAdaptiveCard } from '@microsoft/teams.cards'
import { z } from 'zod'
import type { Channel, Delivered } from '../../gate/notices/channel.ts'
import { durationWords } from '../../gate/notices/grant-words.ts'
import type { Notice } from '../../gate/notices/notice.ts'
import { cardOf, wordsCard } from './card.ts'
import { isGone, teamsFailure } from './failure.ts'
import { destinationOf, type Directory } from './target.ts'

const receiptSchema = z.object({
  conversation: z.string(),
  activity: z.string(),
  service: z.string(),
})

type Receipt = z.output<typeof receiptSchema>

/** Posts a card for each approval, and edits it as the approval changes. */
export class TeamsChannel implements Channel {
  readonly name = 'teams'
  readonly #directory: Directory

  constructor(directory: Directory) {
    this.#directory = directory
  }

  async deliver(notice: Notice, signal: AbortSignal): Promise<Delivered> {
    try {
      const receipt =
        notice.purpose === 'remind' ? await this.#remind(notice) : await this.#show(notice)
      signal.throwIfAborted()
      return { receipt }
    } catch (error) {
      if (signal.aborted) throw error
      throw teamsFailure(error)
    }
  }

  async #show(notice: Notice): Promise<Receipt> {
    const known = receiptSchema.safeParse(notice.receipt).data
    const card = cardOf(notice)
    if (known) {
      try {
        await editCard(this.#directory.api(known.service), known, card)
        return known
      } catch (error) {
        if (!isGone(error)) throw error
      }
    }
    return this.#post(notice.target, card)
  }

  async #post(target: string, card: IAdaptiveCard): Promise<Receipt> {
    const { conversation, serviceUrl } = await destinationOf(this.#directory, target)
    return postCard(this.#directory.api(serviceUrl), conversation, serviceUrl, card)
  }

  /** Posts a reminder, below the card that it is about where there is one. */
  async #remind({ announced, target, story, link }: Notice): Promise<Receipt> {
    const first = receiptSchema.safeParse(announced).data
    const minutes = Math.max(1, Math.round((story.expiresAt.getTime() - Date.now()) / 60_000))
    const card = wordsCard(
      `This expires in about ${durationWords(minutes)}, and nobody has decided: ${story.summary}`,
      link,
    )
    if (!first) return this.#post(target, card)
    const { conversation, activity, service } = first
    // A channel has threads; a chat has none.
    const place = /@thread\.(tacv2|skype)$/.test(conversation)
      ? `${conversation};messageid=${activity}`
      : conversation
    return postCard(this.#directory.api(service), place, service, card)
  }
}

async function postCard(
  api: ApiClient,
  conversation: string,
  service: string,
  card: IAdaptiveCard,
): Promise<Receipt> {
  const { id } = await api.conversations.createActivity(conversation, messageWith(card))
  return { conversation, activity: id, service }
}

export async function editCard(
  api: ApiClient,
  { conversation, activity }: Pick<Receipt, 'conversation' | 'activity'>,
  card: IAdaptiveCard,
): Promise<void> {
  await api.conversations.updateActivity(conversation, activity, messageWith(card))
}

/** Notifications show the summary, so it contains only our own words. */
function messageWith(card: IAdaptiveCard) {
  return {
    type: 'message' as const,
    summary: 'An action of an agent waits for approval',
    attachments: [
      { contentType: 'application/vnd.microsoft.card.adaptive' as const, content: card },
    ],
  }
}
