import type { App, webApi } from '@slack/bolt'
import { isKnownMessage } from '../../approvals/outbox.ts'
import { getApproval } from '../../approvals/store.ts'
import { votesOf } from '../../approvals/votes.ts'
import {
  introduction,
  voteFromChat,
  type Answer,
  type ChatVoting,
  type Clicker,
} from '../../gate/notices/chat-vote.ts'
import { highestRisk } from '../../gate/view.ts'
import { noticeOf } from '../../gate/notices/notice.ts'
import { readBallot } from './ballot-value.ts'
import { escape } from './blocks.ts'
import { actions, messageOf } from './message.ts'
import { modalId, readAsked, reasonModal, type Asked } from './modal.ts'
import { isOfTeam, readClick, readSubmission } from './payload.ts'

/** Where the click happened: the answer goes there. */
interface Place {
  readonly channel: string
  readonly ts: string
}

/**
 * Handles clicks. Each is acknowledged first, because Slack waits for three seconds only and the
 * database may take longer.
 */
export function listenToClicks(app: App, client: webApi.WebClient, voting: ChatVoting): void {
  const { log } = voting.gate

  // For requests over either transport: without `next()`, no listener is called.
  app.use(async ({ body, next }) => {
    if (isOfTeam(body, voting.chat.tenant)) await next()
    else log.warn('something from another Slack workspace was not listened to')
  })

  app.action(actions.open, ({ ack }) => ack())

  app.action(/^sallyport_(approve(_minutes|_session)?|deny)$/, async ({ ack, body }) => {
    await ack()
    const click = readClick(body)
    const action = click?.actions[0]
    const ballot = readBallot(action?.value)
    if (!click || !action || !ballot) return log.warn('a Slack message carries no ballot of ours')
    const clicker = clickerOf(click.user)
    const place = { channel: click.container.channel_id, ts: click.container.message_ts }
    const decision = action.action_id === actions.deny ? 'deny' : 'approve'

    const stranger = await introduction(voting, clicker)
    if (stranger) return answer(client, clicker, place, stranger)
    if (decision === 'deny' || (await takesReason(voting, ballot.approval))) {
      const asked: Asked = { decision, ballot: action.value!, ...place }
      await client.views.open({ trigger_id: click.trigger_id, view: reasonModal(asked) })
      return
    }
    await decide(clicker, asked(decision, action.value!, place), null)
  })

  app.view(modalId, async ({ ack, body }) => {
    await ack()
    const submission = readSubmission(body)
    const vote = submission && readAsked(submission.view.private_metadata)
    if (!vote) return log.warn('a Slack modal carries no ballot of ours')
    const reason = submission.view.state.values.reason.text.value?.trim()
    await decide(clickerOf(submission.user), vote, reason || null)
  })

  async function decide(clicker: Clicker, vote: Asked, reason: string | null): Promise<void> {
    const ballot = readBallot(vote.ballot)
    if (!ballot) return log.warn('a Slack message carries no ballot of ours')
    const said = await voteFromChat(voting, clicker, vote.decision, ballot, reason)
    await answer(client, clicker, vote, said)
    await repair(client, voting, ballot.approval, vote)
  }

  app.error(async (error) => {
    // Closed: a click that failed before its vote was recorded is no vote. The message is still
    // there and can be clicked again.
    log.error({ err: error }, 'a click in Slack came to nothing')
  })
}

const asked = (decision: Asked['decision'], ballot: string, place: Place): Asked => ({
  decision,
  ballot,
  ...place,
})

const clickerOf = ({ id, name }: { id: string; name?: string | undefined }): Clicker => ({
  id,
  name: name ?? id,
})

/**
 * Whether approving takes a reason: critical actions do, so that nobody approves one by accident.
 */
async function takesReason({ gate }: ChatVoting, id: string): Promise<boolean> {
  const approval = await getApproval(gate.store, id)
  return approval !== null && highestRisk(approval.decision.requirements) === 'critical'
}

/**
 * Answers the person who clicked, and nobody else: by direct message where nothing can be shown to
 * a single member of a channel.
 */
async function answer(
  client: webApi.WebClient,
  { id }: Clicker,
  { channel }: Place,
  { text, link }: Answer,
): Promise<void> {
  const safe = escape(text)
  const words = {
    text: link ? `${safe} ${link.url}` : safe,
    blocks: [
      { type: 'section' as const, text: { type: 'plain_text' as const, text, emoji: false } },
      ...(link
        ? [
            {
              type: 'actions' as const,
              elements: [
                {
                  type: 'button' as const,
                  action_id: actions.open,
                  text: { type: 'plain_text' as const, text: link.label },
                  url: link.url,
                },
              ],
            },
          ]
        : []),
    ],
  }
  try {
    await client.chat.postEphemeral({ channel, user: id, ...words })
  } catch {
    // Slack shows nothing in a channel to somebody who is not a member of it, so this goes to their
    // direct messages.
    await client.chat.postMessage({ channel: id, ...words })
  }
}

/**
 * Updates a message that nothing else updates: Slack's answer to its posting was lost, so a second
 * one was posted, and only that one is known. Whoever clicks the first one sees the current state.
 */
async function repair(
  client: webApi.WebClient,
  { gate, consoleUrl }: ChatVoting,
  id: string,
  { channel, ts }: Place,
): Promise<void> {
  if (await isKnownMessage(gate.store, id, 'slack', { channel, ts })) return
  const approval = await getApproval(gate.store, id)
  if (!approval) return
  const votes = (await votesOf(gate.store, [id])).get(id)!
  const row = {
    id,
    wanted: 0,
    purpose: 'announce' as const,
    target: channel,
    receipt: null,
    announced: null,
  }
  await client.chat.update({
    channel,
    ts,
    ...messageOf(noticeOf(row, approval, votes, consoleUrl())),
  })
}
