import { setTimeout as later } from 'node:timers/promises'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Approval } from '../../src/approvals/approval.ts'
import { getApproval } from '../../src/approvals/store.ts'
import { isOpen } from '../../src/approvals/machine.ts'
import { Problem } from '../../src/core/errors.ts'
import type { Person } from '../../src/core/person.ts'
import { asProblem } from '../../src/gate/commit.ts'
import type { Attempt } from '../../src/gate/attempt.ts'
import { claim } from '../../src/gate/claim.ts'
import type { GateContext } from '../../src/gate/context.ts'
import { Gate } from '../../src/gate/gate.ts'
import { expireOverdue } from '../../src/gate/housekeeping.ts'
import { cancelApproval } from '../../src/gate/settle.ts'
import { castVote } from '../../src/gate/vote.ts'
import { attemptAt, openTestGate, person } from '../support/gate.ts'
import { openTestStore, storeKinds } from '../support/store.ts'
import { refundsNeed } from './policies.ts'

const policies = `${refundsNeed(1)}
  - name: soon-ones-expire-soon
    on: crm
    what: { http: { method: POST, path: /v1/soon } }
    then: hold
    approval: { from: { group: leads }, expires: 5s }
`

/** Where a refund is asked for: every fifth where it expires soon. */
const pathOf = (i: number) => (i % 5 === 4 ? '/v1/urgent' : '/v1/refunds')

const codeOf = (error: unknown) => (error instanceof Problem ? error.code : error)

interface Told {
  readonly type: string
  readonly state: string | null
}

/** What anybody may be told who loses a race. Whatever else comes is a defect. */
const losing = [
  'approval-pending',
  'approval-denied',
  'approval-expired',
  'approval-cancelled',
  'approval-used',
  'already-resolved',
  // So many at once do not all get a session in time.
  'store-unavailable',
]

function shuffled<T>(all: readonly T[], seed: number): T[] {
  const order = fc.shuffledSubarray([...all.keys()], { minLength: all.length })
  return fc.sample(order, { seed, numRuns: 1 })[0]!.map((index) => all[index]!)
}

describe.each(storeKinds)('1,000 at once, on the %s store', (kind) => {
  let ctx: GateContext
  let gate: Gate
  let voters: Person[]
  // Which refunds ran, one entry for each time. A failure is not run again, smaller: what ran before would count twice.
  const ran: number[] = []

  beforeAll(async () => {
    const store = await openTestStore(kind)
    ctx = await openTestGate(store, policies)
    gate = new Gate(ctx)
    voters = await Promise.all(
      ['dana', 'noor', 'lena'].map((name) => person(store, name, ['leads'])),
    )
  })

  const ask = (i: number) => asked(attemptAt(`refund ${i}`, { path: pathOf(i) }))

  async function asked(attempt: Attempt): Promise<Approval> {
    const refused: unknown = await gate.enforce(attempt).catch((error: unknown) => error)
    if (codeOf(refused) === 'store-unavailable') return asked(attempt)
    expect(codeOf(refused)).toBe('approval-pending')
    const { id } = (refused as Problem).members['task'] as { id: string }
    return (await getApproval(ctx.store, id))!
  }

  /** Sends the request, which runs if it is approved meanwhile. */
  async function run(i: number): Promise<void> {
    const attempt = attemptAt(`refund ${i}`, { path: pathOf(i), waitMs: 2_000 })
    const permit = await gate.enforce(attempt)
    permit.redeem(permit.digest)
    ran.push(i)
    await permit.complete({ result: 'succeeded', status: 201 })
  }

  async function sweep(): Promise<void> {
    await expireOverdue(ctx).catch((error: unknown) => {
      throw asProblem(error)
    })
  }

  async function story(approval: string): Promise<Told[]> {
    return ctx.store.query<Told>(
      `SELECT type, convert_from(personal, 'UTF8')::jsonb #>> '{details,state}' AS state
         FROM sallyport.audit_events WHERE approval = $1 ORDER BY id`,
      [approval],
    )
  }

  it('approve, deny, expire, cancel and claim: each approval has one end, and one story', async () => {
    await fc.assert(
      fc.asyncProperty(fc.integer(), async (seed) => {
        const approvals = await Promise.all(Array.from({ length: 50 }, (_, i) => ask(i)))

        const tries = approvals.flatMap((approval, i) => {
          const { id, digest, viewHash } = approval
          const vote = (decision: 'approve' | 'deny') => (voter: Person) => () =>
            castVote(ctx, voter, {
              ...{ approval: id, decision, digest, viewHash },
              ...{ reason: null, scope: 'once', channel: 'api' },
            })
          const cancel = () => cancelApproval(ctx, id, voters[0]!)
          const [yes, no] = [voters.map(vote('approve')), voters.map(vote('deny'))]
          // About when it expires.
          const late = yes.map((approve) => () => later(1_800).then(approve))
          const mixes = [yes, [...yes, ...no], [...yes, cancel], [...yes, no[0]!, cancel], late]
          const mix = [...mixes[i % mixes.length]!, sweep]
          return [...mix, ...Array.from({ length: 20 - mix.length }, () => () => run(i))]
        })
        expect(tries).toHaveLength(1_000)

        const results = await Promise.allSettled(shuffled(tries, seed).map((one) => one()))
        for (const result of results) {
          if (result.status === 'rejected') {
            expect(result.reason).toBeInstanceOf(Problem)
            expect(losing).toContain((result.reason as Problem).code)
          }
        }

        for (const [i, { id }] of approvals.entries()) {
          const { state, holder } = (await getApproval(ctx.store, id))!
          if (isOpen(state)) continue
          const times = ran.filter((one) => one === i).length
          expect(times, state).toBe(state === 'succeeded' ? 1 : 0)
          expect(holder !== null).toBe(state === 'succeeded')

          const told = await story(id)
          const ended = told.filter(({ type }) => type === 'approval.resolved')
          const steps = told
            .map(({ type }) => type)
            .filter(
              (type) =>
                !['action.decided', 'approval.voted', 'approval.vote_refused'].includes(type),
            )
          if (state === 'succeeded') {
            expect(ended).toMatchObject([{ state: 'approved' }])
            expect(steps).toEqual([
              'approval.requested',
              'approval.resolved',
              'action.dispatched',
              'action.completed',
            ])
          } else {
            const wasApproved = ended[0]!.state === 'approved'
            expect(ended.slice(wasApproved ? 1 : 0)).toMatchObject([{ state }])
            expect(steps).not.toContain('action.dispatched')
          }
        }
      }),
      { numRuns: 1, endOnFailure: true },
    )
  })

  it('an approval whose time runs out while it is claimed has expired, and nothing runs', async () => {
    const urgent = attemptAt('in the last moment', { path: '/v1/soon' })
    const [leader] = voters
    const { id, digest, viewHash, expiresAt } = await asked(urgent)
    const ballot = { approval: id, decision: 'approve', digest, viewHash } as const
    await castVote(ctx, leader!, { ...ballot, reason: null, scope: 'once', channel: 'api' })
    // What is looked at between the look at the approval and its use.
    const untilItExpired = () => {
      while (Date.now() <= expiresAt.getTime());
      return ctx.policies()
    }
    const { digest: payload } = await urgent.seal()
    const claimed = await claim({ ...ctx, policies: untilItExpired }, urgent, id, payload)
    expect(claimed).toMatchObject({ permit: null, standing: { state: 'expired' } })
    expect(await getApproval(ctx.store, id)).toMatchObject({ state: 'expired', holder: null })
  })
})
