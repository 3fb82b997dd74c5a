import { beforeEach, expect, it } from 'vitest'
import { insertGrant } from '../../src/approvals/grants.ts'
import { getApproval } from '../../src/approvals/store.ts'
import type { Approval } from '../../src/approvals/approval.ts'
import type { Problem } from '../../src/core/errors.ts'
import type { Person } from '../../src/core/person.ts'
import type { GateContext } from '../../src/gate/context.ts'
import { runErrand } from '../../src/gate/governing/errands.ts'
import { Gate } from '../../src/gate/gate.ts'
import { govern } from '../../src/gate/governing/govern.ts'
import { castVote } from '../../src/gate/vote.ts'
import { endSubject } from '../../src/identity/end-subject.ts'
import { subjectOfPerson } from '../../src/identity/people.ts'
import { attemptAt, openTestGate, person } from '../support/gate.ts'
import { openTestStore } from '../support/store.ts'

// Class 16, removed approvers: an identity provider disables an account because somebody else has it. What that account did a minute ago must not count.

const policies = `
rules:
  - name: refunds-need-leads
    on: crm
    then: hold
    approval: { from: { group: leads }, scope: [once, { minutes: 15 }] }
  - name: keys-need-leads
    on: sallyport
    then: hold
    approval: { from: { group: leads } }
`

let ctx: GateContext
let dana: Person

beforeEach(async () => {
  ctx = await openTestGate(await openTestStore(), policies)
  dana = await person(ctx.store, 'dana', ['leads'])
})

async function approve({ id, digest, viewHash }: Approval): Promise<void> {
  const ballot = { approval: id, decision: 'approve', digest, viewHash } as const
  await castVote(ctx, dana, { ...ballot, reason: null, scope: 'once', channel: 'api' })
}

async function approved(note: string): Promise<Approval> {
  const refused: unknown = await new Gate(ctx)
    .enforce(attemptAt(note))
    .catch((error: unknown) => error)
  const { id } = (refused as Problem).members['task'] as { id: string }
  const approval = (await getApproval(ctx.store, id))!
  await approve(approval)
  return approval
}

async function disable({ issuer, subject }: Person): Promise<void> {
  await ctx.store.tx((tx) =>
    endSubject(tx, { issuers: [issuer], name: subject, at: new Date(), what: 'disabled' }),
  )
}

it('the vote of an approver whose account was disabled releases nothing', async () => {
  const approval = await approved('refund')
  await disable(dana)
  const run = new Gate(ctx).enforce(attemptAt('refund'))
  await expect(run).rejects.toMatchObject({ code: 'approval-invalidated' })
  expect(await getApproval(ctx.store, approval.id)).toMatchObject({ holder: null })
})

it('nor does what they granted for a while', async () => {
  const { id, subjectKey, resource, binding, digest } = await approved('refund')
  const gate = new Gate(ctx)
  await (await gate.enforce(attemptAt('refund'))).complete({ result: 'succeeded' })
  const grant = { approval: id, subjectKey, resource, binding, match: null, digest }
  await insertGrant(ctx.store, { ...grant, rules: ['refunds-need-leads'] }, 15)
  await (await gate.enforce(attemptAt('refund'))).complete({ result: 'succeeded' })
  await disable(dana)
  await expect(gate.enforce(attemptAt('refund'))).rejects.toMatchObject({
    code: 'approval-pending',
  })
})

it('what an administrator asked for is not done once their account was disabled, although somebody approved it', async () => {
  const mallory = await person(ctx.store, 'mallory', ['platform'])
  const asked = { operation: 'key.create', target: 'bot', summary: '', payload: {} } as const
  const held = (await govern(ctx, { ...asked, subject: subjectOfPerson(mallory) }))!
  await approve(held)
  await disable(mallory)
  const done: string[] = []
  const work = { obstacle: async () => null, run: async () => () => void done.push(held.id) }
  expect(await runErrand(ctx, { 'key.create': work }, held.id)).toBe(false)
  expect(done).toEqual([])
  expect(await getApproval(ctx.store, held.id)).toMatchObject({
    state: 'invalidated',
    resolution: { reason: expect.stringContaining('disabled') as string },
  })
})
