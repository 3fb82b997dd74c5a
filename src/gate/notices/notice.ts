import type { Approval, Vote } from '../../approvals/approval.ts'
import type { Claimed, Purpose } from '../../approvals/outbox.ts'
import type { JsonObject } from '../../core/json.ts'
import { approvalView } from '../view.ts'
import { storyOf, type Story } from './story.ts'

/** What a channel is to show, and where. */
export interface Notice {
  /**
   * The same for every attempt to deliver it, and for everything newer about the same approval in
   * the same place.
   */
  readonly id: string
  /** Higher whenever there is something new to show. */
  readonly version: number
  readonly purpose: Purpose
  /** The place in the channel; empty where there is only one. */
  readonly target: string
  /**
   * What the channel said the last time: where the message is. `null`: none is known of, and one is
   * to be posted.
   */
  readonly receipt: JsonObject | null
  /** Of a reminder: where the same place was told first. */
  readonly announced: JsonObject | null
  /** The approval's page in the console. */
  readonly link: string
  readonly story: Story
  /** The approval in the shape of the API: for programs. Nothing in it is made visible. */
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
