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
  /** Replaces the card of a message. */
  readonly edit: (message: Message, card: IAdaptiveCard) => Promise<void>
}

/**
 * Handles a click. Resolves with the card that replaces the clicked one for this person only, with
 * a message to them on top. For everybody else the card is edited through the outbox.
 */
export async function clickCard(deps: Clicks, click: Click): Promise<IAdaptiveCard> {
  const { store } = deps.gate
  const answer = await answerTo(deps, click)
  const approval = await getApproval(store, click.ballot.approval)
  // The value of a button comes from the client. Somebody who names an approval without its hashes
  // has not seen it.
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

/**
 * Whether approving takes a reason: critical actions do, so that nobody approves one by accident.
 */
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
 * Updates a message that nothing else updates: the answer to its posting was lost, so a second one
 * was posted, and only that one is known.
 */
async function repair({ gate, edit }: Clicks, message: Message, notice: Notice): Promise<void> {
  if (await isKnownMessage(gate.store, notice.story.id, 'teams', { ...message })) return
  try {
    await edit(message, cardOf(notice))
  } catch (error) {
    // The vote counts all the same. The card that others see there is out of date, and says so when
    // it is clicked.
    const { message: words } = teamsFailure(error)
    gate.log.warn({ error: words }, 'an old card in Teams stays as it was')
  }
}
