import type { types } from '@slack/bolt'
import { z } from 'zod'

const asked = z.strictObject({
  decision: z.enum(['approve', 'deny']),
  /** The value of the button that was clicked. */
  ballot: z.string(),
  channel: z.string(),
  ts: z.string(),
})

/**
 * A vote that still needs its reason: which button was clicked, of which message. The modal carries
 * it through Slack, which takes at most 3,000 characters.
 */
export type Asked = z.output<typeof asked>

export const modalId = 'sallyport_reason'

/** The longest reason, in characters; the same limit as in the control plane. */
const longest = 2000

export function reasonModal(vote: Asked): types.ModalView {
  const deny = vote.decision === 'deny'
  return {
    type: 'modal',
    callback_id: modalId,
    private_metadata: JSON.stringify(vote),
    title: { type: 'plain_text', text: deny ? 'Deny' : 'Approve' },
    submit: { type: 'plain_text', text: deny ? 'Deny' : 'Approve' },
    close: { type: 'plain_text', text: 'Back' },
    blocks: [
      {
        type: 'input',
        block_id: 'reason',
        optional: deny,
        label: { type: 'plain_text', text: 'Reason' },
        hint: {
          type: 'plain_text',
          text: deny
            ? 'On record, and the agent is told.'
            : 'On record. Critical actions take one.',
        },
        element: {
          type: 'plain_text_input',
          action_id: 'text',
          multiline: true,
          max_length: longest,
          ...(!deny && { min_length: 3 }),
        },
      },
    ],
  }
}

/** `null` for anything that one of our modals does not carry. */
export function readAsked(text: string): Asked | null {
  try {
    return asked.safeParse(JSON.parse(text)).data ?? null
  } catch {
    // Closed: it counts as no vote.
    return null
  }
}
