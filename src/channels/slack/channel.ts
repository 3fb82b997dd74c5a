import type { webApi } from '@slack/bolt'
import { z } from 'zod'
import type { Channel, Delivered } from '../../gate/notices/channel.ts'
import type { Notice } from '../../gate/notices/notice.ts'
import { escape } from './blocks.ts'
import { slackCode, slackFailure } from './failure.ts'
import { messageOf, type Message } from './message.ts'

const receiptSchema = z.object({
  channel: z.string(),
  ts: z.string(),
  /** How much of the outcome has been posted to the thread. */
  told: z.enum(['nothing', 'verdict', 'outcome']),
})

export type Receipt = z.output<typeof receiptSchema>

/** Keeps Slack from turning anything in a text into a mention, a link or a preview. */
const inert = {
  parse: 'none',
  link_names: false,
  unfurl_links: false,
  unfurl_media: false,
} as const

/** Slack's error codes for a message that can no longer be edited. */
const gone = new Set(['message_not_found', 'cant_update_message', 'edit_window_closed'])

/**
 * Posts a message for each approval, edits it as the approval changes, and posts the outcome to its
 * thread, where people can discuss it.
 */
export class SlackChannel implements Channel {
  readonly name = 'slack'
  readonly #client: webApi.WebClient

  constructor(client: webApi.WebClient) {
    this.#client = client
  }

  async deliver(notice: Notice, signal: AbortSignal): Promise<Delivered> {
    try {
      if (notice.purpose === 'remind') return { receipt: await this.#remind(notice) }
      const known = receiptSchema.safeParse(notice.receipt).data ?? null
      const message = messageOf(notice)
      const shown = await this.#show(message, known, notice.target)
      signal.throwIfAborted()
      return { receipt: await this.#tellEnd(notice, shown) }
    } catch (error) {
      if (signal.aborted) throw error
      throw slackFailure(error)
    }
  }

  async #show(message: Message, known: Receipt | null, target: string): Promise<Receipt> {
    if (known) {
      const { channel, ts } = known
      try {
        await this.#client.chat.update({
          channel,
          ts,
          ...message,
          parse: 'none',
          link_names: false,
        })
        return known
      } catch (error) {
        if (!gone.has(slackCode(error) ?? '')) throw error
      }
    }
    const posted = await this.#client.chat.postMessage({
      // A person is named as @U…, a channel as #name or by its id.
      channel: target.replace(/^@/, ''),
      ...message,
      ...inert,
    })
    return { channel: posted.channel!, ts: posted.ts!, told: known?.told ?? 'nothing' }
  }

  async #tellEnd({ story }: Notice, receipt: Receipt): Promise<Receipt> {
    const { channel, ts, told } = receipt
    const { verdict, outcome } = story
    const news = [
      ...(verdict !== null && told === 'nothing' ? [verdict] : []),
      ...(outcome !== null && told !== 'outcome' ? [outcome] : []),
    ]
    if (news.length === 0) return receipt
    const text = escape(`${news.join('. ')}.`)
    await this.#client.chat.postMessage({ channel, thread_ts: ts, text, mrkdwn: false, ...inert })
    return { channel, ts, told: outcome === null ? 'verdict' : 'outcome' }
  }

  async #remind({ announced, target, story, link }: Notice): Promise<Receipt> {
    const first = receiptSchema.safeParse(announced).data
    const minutes = Math.max(1, Math.round((story.expiresAt.getTime() - Date.now()) / 60_000))
    const text = escape(
      `This expires in about ${minutes} ${minutes === 1 ? 'minute' : 'minutes'}, and nobody has decided: ${story.summary}`,
    )
    const words = { text: `${text} ${link}`, mrkdwn: false, ...inert }
    const { channel, ts } = await this.#client.chat.postMessage(
      first
        ? { channel: first.channel, thread_ts: first.ts, reply_broadcast: true, ...words }
        : { channel: target.replace(/^@/, ''), ...words },
    )
    return { channel: channel!, ts: ts!, told: 'outcome' }
  }
}
