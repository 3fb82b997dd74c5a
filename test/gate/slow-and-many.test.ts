import { beforeAll, describe, expect, it } from 'vitest'
import { getApproval } from '../../src/approvals/store.ts'
import { Problem } from '../../src/core/errors.ts'
import type { Person } from '../../src/core/person.ts'
import type { Attempt } from '../../src/gate/attempt.ts'
import type { GateContext } from '../../src/gate/context.ts'
import { Gate } from '../../src/gate/gate.ts'
import { castVote } from '../../src/gate/vote.ts'
import { attemptAt, compileTestPolicies, openTestGate, person } from '../support/gate.ts'
import { openTestStore, storeKinds } from '../support/store.ts'
import { nobodyRefunds } from './policies.ts'

const policies = `
rules:
  - name: refunds-need-leads
    on: crm
    what: { http: { method: POST, path: /v1/refunds } }
    then: hold
    approval: { from: { group: leads }, scope: [once, { minutes: 15, match: [http.path] }] }
`

const codeOf = (error: unknown) => (error as Problem).code

describe.each(storeKinds)('requests that are slow, or many, on the %s store', (kind) => {
  let ctx: GateContext
  let dana: Person

  beforeAll(async () => {
    const store = await openTestStore(kind)
    ctx = await openTestGate(store, policies)
    dana = await person(store, 'dana', ['leads'])
  })

  async function grantMinutes() {
    const refused = await new Gate(ctx).enforce(attemptAt('a refund')).catch((error) => error)
    const { id } = (refused as Problem).members['task'] as { id: string }
    const { digest, viewHash } = (await getApproval(ctx.store, id))!
    const ballot = { approval: id, decision: 'approve', digest, viewHash } as const
    await castVote(ctx, dana, { ...ballot, reason: null, scope: { minutes: 15 }, channel: 'api' })
  }

  it('a grant covers nothing that the policies have come to deny while the body was sent (class 16)', async () => {
    await grantMinutes()
    let inForce = ctx.policies()
    const gate = new Gate({ ...ctx, policies: () => inForce })
    expect((await gate.enforce(attemptAt('another'))).digest).not.toBeNull()

    const slow = attemptAt('one more', {
      seal: async () => {
        inForce = compileTestPolicies(nobodyRefunds)
        return attemptAt('one more').seal()
      },
    })
    await expect(gate.enforce(slow)).rejects.toMatchObject({ code: 'approval-invalidated' })
  })

  it('what is too large or too unclear to be approved is on record all the same (class 25)', async () => {
    const tooLarge = new Problem('body-too-large', 'This has more bytes than anybody reads.')
    const attempt = attemptAt('a film', { seal: () => Promise.reject(tooLarge) })
    await expect(new Gate(ctx).enforce(attempt)).rejects.toBe(tooLarge)
    const events = await ctx.store.query(
      'SELECT type, decision FROM sallyport.audit_events WHERE action = $1',
      [attempt.action.id],
    )
    expect(events).toEqual([{ type: 'action.decided', decision: 'hold' }])
  })

  it('ten requests of one subject wait for each approval that it may have open, and no more (class 23)', async () => {
    const gate = new Gate({ ...ctx, limits: { ...ctx.limits, max_per_subject: 1 } })
    const ask = (changes: Partial<Attempt> = {}) => {
      const attempt = attemptAt('the same', changes)
      const subject = { ...attempt.action.subject, subject: 'eager-bot' }
      return gate.enforce({ ...attempt, action: { ...attempt.action, subject } })
    }
    const caller = new AbortController()
    const asked = Array.from({ length: 15 }, () =>
      ask({ waitMs: 60_000, caller: caller.signal }).catch(codeOf),
    )
    expect(await Promise.all(asked.slice(10))).toEqual(
      Array.from({ length: 5 }, () => 'too-many-holds'),
    )
    caller.abort()
    expect(new Set(await Promise.all(asked.slice(0, 10)))).toEqual(new Set(['approval-pending']))
    // They have left, and others can come.
    await expect(ask()).rejects.toMatchObject({ code: 'approval-pending' })
  })
})
