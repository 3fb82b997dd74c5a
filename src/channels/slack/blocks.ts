import type { types } from '@slack/bolt'
import { cut } from '../../gate/notices/chat-words.ts'

/**
 * The few kinds of blocks that we use, with their limits. Text from outside is put into
 * `plain_text` and rich text only. There Slack looks for no mark-up, mentions or links, and nothing
 * can end a code block.
 */
export type Block = types.KnownBlock

/**
 * The longest texts that Slack accepts, in UTF-16 code units: header 150, section text 3,000, one
 * field 2,000, button value 2,000.
 */
export const limits = { header: 150, section: 3000, field: 2000 } as const

const plain = (text: string): types.PlainTextElement => ({
  type: 'plain_text',
  text,
  emoji: false,
})

export function header(text: string): Block {
  return { type: 'header', text: plain(cut(text, limits.header)) }
}

/** Pairs of a label and a text, two in a row. At most ten. */
export function fields(pairs: readonly (readonly [string, string])[]): Block {
  return {
    type: 'section',
    fields: pairs.map(([label, text]) => plain(cut(`${label}\n${text}`, limits.field))),
  }
}

export function paragraph(text: string): Block {
  return { type: 'section', text: plain(cut(text, limits.section)) }
}

/** A label, and below it text exactly as it is, with every blank and line break. */
export function code(label: string, text: string): Block {
  return {
    type: 'rich_text',
    elements: [
      {
        type: 'rich_text_section',
        elements: [{ type: 'text', text: label, style: { bold: true } }],
      },
      // An empty text is not valid, and an empty body is something to show.
      {
        type: 'rich_text_preformatted',
        elements: [{ type: 'text', text: text === '' ? '(empty)' : text }],
      },
    ],
  }
}

/**
 * A time, which Slack shows in the reader's own time zone. This is the only place that uses Slack's
 * mark-up, and only our own numbers go into it.
 */
export function countdown(label: string, at: Date): Block {
  const seconds = Math.floor(at.getTime() / 1000)
  const fallback = at.toISOString().slice(0, 16).replace('T', ' ')
  return {
    type: 'context',
    elements: [
      {
        type: 'mrkdwn',
        verbatim: true,
        text: `${label} <!date^${seconds}^{date_short_pretty} {time_secs}|${fallback} UTC>`,
      },
    ],
  }
}

export interface Button {
  readonly action: string
  readonly label: string
  readonly value?: string
  readonly url?: string
  readonly style?: 'primary' | 'danger'
}

export function buttons(list: readonly Button[]): Block {
  return {
    type: 'actions',
    elements: list.map(({ action, label, value, url, style }) => ({
      type: 'button',
      action_id: action,
      text: plain(label),
      ...(value !== undefined && { value }),
      ...(url !== undefined && { url }),
      ...(style && { style }),
    })),
  }
}

/**
 * Escapes text in which Slack looks for mentions and links, as it does in the text of
 * notifications.
 */
export function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
}
