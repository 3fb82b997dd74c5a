import { z } from 'zod'
import { breakGlassOf, mayBreakGlass } from '../../approvals/break-glass.ts'
import { isBehind } from '../../approvals/exclusion.ts'
import { states } from '../../approvals/machine.ts'
import { isEligible } from '../../approvals/quorum.ts'
import { scopeSchema } from '../../approvals/scope.ts'
import { getApproval } from '../../approvals/store.ts'
import { listApprovals } from '../../approvals/lists.ts'
import { votesOf } from '../../approvals/votes.ts'
import type { Approval } from '../../approvals/approval.ts'
import { Problem } from '../../core/errors.ts'
import type { GateContext } from '../../gate/context.ts'
import { cancelApproval } from '../../gate/settle.ts'
import { approvalView } from '../../gate/view.ts'
import { castVote } from '../../gate/vote.ts'
import { personOf, type Caller } from '../caller.ts'
import type { ControlServer } from '../context.ts'
import { channelOf } from '../channel.ts'
import { wholeId } from '../whole-id.ts'

const pageSize = 100

/** An approval with all its members, which `view.ts` describes. */
const approvalSchema = z.looseObject({
  id: z.uuid(),
  state: z.enum(states),
  view_hash: z.string().describe('hash of everything shown; a vote names it'),
})

const params = z.object({ id: wholeId })

const ballot = z.strictObject({
  decision: z
    .enum(['approve', 'deny', 'break_glass'])
    .describe(
      '`break_glass` releases it alone, in an emergency, for those whom the rules let do that; with a reason',
    ),
  digest: z.string().describe('digest of the action as it was shown'),
  view_hash: z.string().describe('hash of everything that was shown'),
  reason: z.string().max(2000).nullish().describe('goes to the agent when denied, and on record'),
  scope: scopeSchema
    .default('once')
    .describe('one of the approval’s scope_options, or fewer minutes than it offers'),
})

const stateList = z
  .string()
  .optional()
  .transform((text) => text?.split(','))
  .pipe(z.array(z.enum(states)).optional())
  .describe('states, separated by commas; all if left out')

/**
 * Here people see and decide what waits for approval. The rule says who may decide; the role
 * `approver` lets somebody see the whole inbox.
 */
export async function approvalRoutes(
  app: ControlServer,
  { gate }: { gate: GateContext },
): Promise<void> {
  const { store } = gate

  async function visible(id: string, caller: Caller | null): Promise<Approval> {
    const approval = await getApproval(store, id)
    if (!approval || !maySee(caller, approval)) {
      throw new Problem('not-found', `There is no approval ${id}, or it is not for you.`)
    }
    return approval
  }

  async function view(approval: Approval) {
    const votes = await votesOf(store, [approval.id])
    return approvalView(approval, votes.get(approval.id)!) as z.infer<typeof approvalSchema>
  }

  app.get(
    '/api/approvals',
    {
      config: { access: 'person' },
      schema: {
        summary: 'Approvals, newest first',
        querystring: z.object({ state: stateList, before: wholeId.optional() }),
        response: {
          200: z.object({ approvals: z.array(approvalSchema), next: z.uuid().nullable() }),
        },
      },
    },
    async ({ query, caller }) => {
      const { approvals: page, next } = await listApprovals(store, {
        ...(query.state && { states: query.state }),
        ...(query.before && { before: query.before }),
        limit: pageSize,
      })
      const votes = await votesOf(
        store,
        page.map(({ id }) => id),
      )
      const approvals = page
        .filter((approval) => maySee(caller, approval))
        .map((approval) => approvalView(approval, votes.get(approval.id)!))
      return { approvals: approvals as z.infer<typeof approvalSchema>[], next }
    },
  )

  app.get(
    '/api/approvals/:id',
    {
      config: { access: 'person' },
      schema: { summary: 'One approval, whole', params, response: { 200: approvalSchema } },
    },
    async ({ params: { id }, caller }) => view(await visible(id, caller)),
  )

  app.post(
    '/api/approvals/:id/votes',
    {
      config: { access: 'person' },
      schema: {
        summary: 'Approve or deny',
        params,
        body: ballot,
        response: { 200: approvalSchema },
      },
    },
    async (request) => {
      const { decision, digest, view_hash: viewHash, reason, scope } = request.body
      const vote = await castVote(gate, personOf(request), {
        approval: request.params.id,
        decision,
        digest,
        viewHash,
        reason: reason || null,
        scope: decision === 'approve' ? scope : 'once',
        channel: channelOf(request),
      })
      return vote as z.infer<typeof approvalSchema>
    },
  )

  app.post(
    '/api/approvals/:id/cancel',
    {
      config: { access: 'person' },
      schema: {
        summary: 'Take back a request for approval, for whoever asked for it or owns the agent',
        params,
        response: { 200: approvalSchema },
      },
    },
    async (request) => {
      const person = personOf(request)
      const approval = await visible(request.params.id, request.caller)
      if (!isBehind(person, approval.action.subject)) {
        throw new Problem(
          'forbidden',
          'Only who asked for it, or owns the agent, can take it back.',
        )
      }
      const { issuer, subject } = person
      return view(await cancelApproval(gate, approval.id, { issuer, subject }))
    },
  )
}

/**
 * People with a role see everything; everybody else what they could decide, and what they or their
 * agents asked for.
 */
export function maySee(caller: Caller | null, { action, decision }: Approval): boolean {
  if (caller?.kind !== 'person') return false
  const { person, roles } = caller
  return (
    roles.size > 0 ||
    decision.requirements.some(({ from }) => isEligible(person, from)) ||
    mayBreakGlass(person, breakGlassOf(decision.requirements)) ||
    isBehind(person, action.subject)
  )
}
