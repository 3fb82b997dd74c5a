import { beforeAll, describe, expect, it } from 'vitest'
import { insertGrant } from '../../src/approvals/grants.ts'
import { getApproval } from '../../src/approvals/store.ts'
import type { Problem } from '../../src/core/errors.ts'
import type { Person } from '../../src/core/person.ts'
import type { GateContext } from '../../src/gate/context.ts'
import { claim } from '../../src/gate/claim.ts'
import { Gate } from '../../src/gate/gate.ts'
import { castVote } from '../../src/gate/vote.ts'
import { attemptAt, compileTestPolicies, openTestGate, person } from '../support/gate.ts'
import { openTestStore, storeKinds } from '../support/store.ts'
import { nobodyRefunds, refundsNeed } from './policies.ts'

const policies = `
rules:
  - name: refunds-need-leads
    on: crm
    what: { http: { method: POST, path: /v1/refunds } }
    then: hold
    approval: { from: { group: leads }, scope: [once, { minutes: 15 }] }
`

describe.each(storeKinds)('using what was approved, on the %s store', (kind) => {
  let ctx: GateContext
  let dana: Person
  let count = 0

  beforeAll(async () => {
    const store = await openTestStore(kind)
    ctx = await openTestGate(store, policies)
    dana = await person(store, 'dana', ['leads'])
  })

  async function approved() {
    const note = `refund ${++count}`
    const gate = new Gate(ctx)
    const refused: unknown = await gate.enforce(attemptAt(note)).catch((error: unknown) => error)
    const { id } = (refused as Problem).members['task'] as { id: string }
    const approval = (await getApproval(ctx.store, id))!
    const { digest, viewHash } = approval
    const ballot = { approval: id, decision: 'approve', digest, viewHash } as const
    await castVote(ctx, dana, { ...ballot, reason: null, scope: 'once', channel: 'api' })
    return { note, approval }
  }

  it.each([
    ['deny it', nobodyRefunds],
    ['ask for two people', refundsNeed(2)],
  ])(
    'policies that %s at the last moment have the last word (invariant 6)',
    async (_what, text) => {
      const { note, approval } = await approved()
      const changed = compileTestPolicies(text)
      const attempt = attemptAt(note)
      const { digest } = await attempt.seal()
      const claimed = await claim({ ...ctx, policies: () => changed }, attempt, approval.id, digest)
      expect(claimed).toMatchObject({ permit: null, standing: { state: 'invalidated' } })
    },
  )

  it('a token that ran out while people were asked opens nothing (class 16)', async () => {
    const { note, approval } = await approved()
    const credential = { kind: 'jwt', id: 'token', expiresAt: Date.now() - 1 } as const
    const late = new Gate(ctx).enforce(attemptAt(note, { credential }))
    await expect(late).rejects.toMatchObject({ code: 'unauthenticated' })
    expect(await getApproval(ctx.store, approval.id)).toMatchObject({ state: 'approved' })
  })

  it('a grant covers the same request until it ends, and not a moment longer (class 16)', async () => {
    const gate = new Gate(ctx)
    const { note, approval } = await approved()
    const run = async () => {
      const permit = await gate.enforce(attemptAt(note))
      permit.redeem(permit.digest)
      await permit.complete({ result: 'succeeded', status: 201 })
    }
    await run()
    const { subjectKey, resource, binding, digest } = approval
    const rules = ['refunds-need-leads']
    const grant = {
      ...{ approval: approval.id, subjectKey, resource, binding },
      ...{ rules, match: null, digest },
    }
    await insertGrant(ctx.store, grant, 0)
    await expect(run()).rejects.toMatchObject({ code: 'approval-pending' })
    await insertGrant(ctx.store, grant, 1)
    await run()
  })

  it('a caller who goes away just after the vote takes the approval along, where it says cancel', async () => {
    const limits = { ...ctx.limits, on_disconnect: 'cancel' } as const
    const { note, approval } = await approved()
    const attempt = attemptAt(note, { caller: AbortSignal.abort() })
    await expect(new Gate({ ...ctx, limits }).enforce(attempt)).rejects.toThrow()
    expect(await getApproval(ctx.store, approval.id)).toMatchObject({ state: 'cancelled' })
  })
})
