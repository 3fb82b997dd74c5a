import type { Approval, Vote } from '../../approvals/approval.ts'
import type { Claimed, Purpose } from '../../approvals/outbox.ts'
import type { JsonObject } from '../../core/json.ts'
import { approvalView } from '../view.ts'
import { storyOf, type Story } from './story.ts'

/** What a channel has to show, and where. */
export interface Notice {
  /** The same for every attempt to deliver it, and for all later versions in the same place. */
  readonly id: string
  /** Goes up whenever there is something new to show. */
  readonly version: number
  readonly purpose: Purpose
  /** The place in the channel; empty where there is only one. */
  readonly target: string
  /**
   * What the channel returned the last time, to find the message; `null` if none is known, so that
   * one has to be posted.
   */
  readonly receipt: JsonObject | null
  /** For a reminder: the receipt of the first message in the same place. */
  readonly announced: JsonObject | null
  /** The approval's page in the console. */
  readonly link: string
  readonly story: Story
  /** The approval in the shape of the API, for programs. Its texts are not made visible. */
  readonly approval: JsonObject
}

/** `consoleUrl`: where people reach the console, without a slash at the end. */
export function noticeOf(
  row: Pick<Claimed, 'id' | 'wanted' | 'purpose' | 'target' | 'receipt' | 'announced'>,
  approval: Approval,
  votes: readonly Vote[],
  consoleUrl: string,
): Notice {
  const { id, wanted, purpose, target, receipt, announced } = row
  return {
    id,
    version: wanted,
    purpose,
    target,
    receipt,
    announced,
    link: `${consoleUrl}/#/approvals/${approval.id}`,
    story: storyOf(approval, votes),
    approval: approvalView(approval, votes),
  }
}
