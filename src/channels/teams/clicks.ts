import type { IAdaptiveCard } from '@microsoft/teams.cards'
import { isKnownMessage } from '../../approvals/outbox.ts'
import { getApproval } from '../../approvals/store.ts'
import { votesOf } from '../../approvals/votes.ts'
import type { Approval } from '../../approvals/approval.ts'
import {
  introduction,
  voteFromChat,
  type Answer,
  type ChatVoting,
} from '../../gate/notices/chat-vote.ts'
import { noticeOf, type Notice } from '../../gate/notices/notice.ts'
import { highestRisk } from '../../gate/view.ts'
import { answerCard, cardOf } from './card.ts'
import { teamsFailure } from './failure.ts'
import type { Click, Message } from './payload.ts'

export interface Clicks extends ChatVoting {
  /** Edits a message. */
  readonly edit: (message: Message, card: IAdaptiveCard) => Promise<void>
}

/**
 * What happens when somebody clicks: the card that they alone see in the place of the one that they
 * clicked, with what they are told on top. Everybody else's is edited through the outbox.
 */
export async function clickCard(deps: Clicks, click: Click): Promise<IAdaptiveCard> {
  const { store } = deps.gate
  const answer = await answerTo(deps, click)
  const approval = await getApproval(store, click.ballot.approval)
  // Whoever names an approval without its hashes has not seen it, whatever they click: what a
  // button carries comes from the client.
  if (!approval || !hasSeen(approval, click)) return answerCard(answer)
  const notice = await noticeFor(deps, approval)
  await repair(deps, click.message, notice)
  return cardOf(notice, answer)
}

async function answerTo(deps: Clicks, click: Click): Promise<Answer> {
  const { clicker, decision, ballot, reason } = click
  const stranger = await introduction(deps, clicker)
  if (stranger) return stranger
  if (decision === 'approve' && (reason?.length ?? 0) < 3 && (await takesReason(deps, click)))
    return { text: 'This did not count. A critical action is approved with a reason.' }
  return voteFromChat(deps, clicker, decision, ballot, reason)
}

/** A critical action is approved with a reason, so that nobody does it by a slip of the thumb. */
async function takesReason({ gate }: Clicks, { ballot }: Click): Promise<boolean> {
  const approval = await getApproval(gate.store, ballot.approval)
  return approval !== null && highestRisk(approval.decision.requirements) === 'critical'
}

const hasSeen = ({ digest, viewHash }: Approval, { ballot }: Click): boolean =>
  digest === ballot.digest && viewHash === ballot.view

async function noticeFor({ gate, consoleUrl }: Clicks, approval: Approval): Promise<Notice> {
  const { id } = approval
  const votes = (await votesOf(gate.store, [id])).get(id)!
  const row = {
    id,
    wanted: 0,
    purpose: 'announce' as const,
    target: '',
    receipt: null,
    announced: null,
  }
  return noticeOf(row, approval, votes, consoleUrl())
}

/**
 * Brings a message up to date that nobody keeps up to date: of a posting whose answer was lost, so
 * that another was posted.
 */
async function repair({ gate, edit }: Clicks, message: Message, notice: Notice): Promise<void> {
  if (await isKnownMessage(gate.store, notice.story.id, 'teams', { ...message })) return
  try {
    await edit(message, cardOf(notice))
  } catch (error) {
    // The vote has counted, and is not undone by this: what the others see there is old, and says
    // so when it is clicked.
    const { message: words } = teamsFailure(error)
    gate.log.warn({ error: words }, 'an old card in Teams stays as it was')
  }
}
