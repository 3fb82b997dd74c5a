import { z } from 'zod'
import { states } from '../../approvals/machine.ts'
import type { Notice } from '../../gate/notices/notice.ts'

const instant = z.iso.datetime({ offset: true })
const party = z.object({ issuer: z.string(), subject: z.string() })
const eligible = z.union([z.object({ group: z.string() }), z.object({ people: z.array(party) })])

const vote = z.looseObject({
  ...party.shape,
  name: z.string().describe('for display'),
  decision: z.enum(['approve', 'deny', 'break_glass']),
  reason: z.string().nullable(),
  channel: z.string(),
  at: instant,
})

/**
 * What is sent. `schema/webhook.json` is made from it. Members may be added; existing ones stay.
 */
export const webhookPayload = z.looseObject({
  type: z
    .enum(['approval.requested', 'approval.escalated', 'approval.reminder', 'approval.updated'])
    .describe(
      'why it is sent: it waits for somebody; it still does, and you are told as well; it expires soon; it changed, which `data.approval.state` and the votes say',
    ),
  timestamp: instant.describe('when this was sent'),
  data: z.looseObject({
    link: z.url().describe('its page in the console'),
    approval: z
      .looseObject({
        id: z.uuid(),
        state: z.enum(states),
        action: z.looseObject({
          id: z.uuid(),
          name: z.string().describe('http.request, sql.statement …'),
          subject: z.looseObject({
            ...party.shape,
            kind: z.enum(['human', 'agent', 'service']),
            owner: z.union([party, z.object({ group: z.string() })]).nullable(),
            chain: z.array(party).describe('who acts for the subject, the current one first'),
          }),
          resource: z.string(),
          effect: z.enum(['read', 'write', 'admin', 'unknown']),
          attributes: z.record(z.string(), z.unknown()),
          summary: z.string(),
          payload: z.record(z.string(), z.unknown()).describe('the whole action, as it would run'),
          digest: z.string().describe('a vote names it'),
        }),
        rules: z.array(z.string()),
        risk: z.enum(['low', 'medium', 'high', 'critical']),
        reason: z.string(),
        agent_reason: z.string().nullable().describe('the agent’s own claim'),
        requirements: z.array(
          z.looseObject({
            rule: z.string(),
            from: eligible,
            quorum: z.int(),
            votes: z.array(vote),
          }),
        ),
        view_hash: z.string().describe('a vote names it'),
        created_at: instant,
        expires_at: instant,
        resolved_at: instant.nullable(),
      })
      .describe('the approval as it is when this is sent, in the shape of GET /api/approvals/{id}'),
  }),
})

type Kind = z.output<typeof webhookPayload>['type']

export function payloadOf({ purpose, receipt, link, approval }: Notice, now: Date): string {
  const first: Record<Notice['purpose'], Kind> = {
    announce: 'approval.requested',
    escalate: 'approval.escalated',
    remind: 'approval.reminder',
  }
  const type = receipt === null ? first[purpose] : 'approval.updated'
  return JSON.stringify({ type, timestamp: now.toISOString(), data: { link, approval } })
}
