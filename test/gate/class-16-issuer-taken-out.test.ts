import { beforeEach, describe, expect, it } from 'vitest'
import type { Approval } from '../../src/approvals/approval.ts'
import { insertGrant } from '../../src/approvals/grants.ts'
import { getApproval } from '../../src/approvals/store.ts'
import { configSchema } from '../../src/config/schema.ts'
import type { Problem } from '../../src/core/errors.ts'
import type { Person } from '../../src/core/person.ts'
import type { GateContext } from '../../src/gate/context.ts'
import { Gate } from '../../src/gate/gate.ts'
import { whyEnded } from '../../src/gate/still-allowed.ts'
import { castVote } from '../../src/gate/vote.ts'
import { isStillTrusted, type Shown } from '../../src/identity/trusted.ts'
import { attemptAt, openTestGate, person } from '../support/gate.ts'
import { openTestStore } from '../support/store.ts'

// Class 16: an identity provider is taken out of the configuration, because it says now that anybody is anybody. What it said a minute ago must not count.

const policies = `
rules:
  - name: refunds-need-leads
    on: crm
    then: hold
    approval: { from: { group: leads }, scope: [once, { minutes: 15 }] }
`

let ctx: GateContext
let gate: Gate
let dana: Person
let gone: readonly Shown[]

beforeEach(async () => {
  const opened = await openTestGate(await openTestStore(), policies)
  gone = []
  ctx = { ...opened, trusts: (_party, how) => !gone.includes(how) }
  gate = new Gate(ctx)
  dana = await person(ctx.store, 'dana', ['leads'])
})

const vote = ({ id, digest, viewHash }: Approval) =>
  castVote(ctx, dana, {
    ...{ approval: id, decision: 'approve', digest, viewHash },
    ...{ reason: null, scope: 'once', channel: 'slack' },
  })

async function asked(): Promise<Approval> {
  const held: unknown = await gate.enforce(attemptAt('refund')).catch((error: unknown) => error)
  const { id } = (held as Problem).members['task'] as { id: string }
  return (await getApproval(ctx.store, id))!
}

describe('that of an agent', () => {
  const agents: readonly Shown[] = ['jwt', 'opaque-token', 'certificate', 'agent-key']

  it('what people approved does not run, nor under a grant', async () => {
    const approval = await asked()
    await vote(approval)
    gone = agents
    await expect(gate.enforce(attemptAt('refund'))).rejects.toMatchObject({
      code: 'unauthenticated',
    })
    gone = []
    const permit = await gate.enforce(attemptAt('refund'))
    const { credential } = attemptAt('refund')
    const running = { action: permit.action, credential, permit, endless: false }
    expect(await whyEnded(ctx, running)).toBeNull()
    gone = agents
    expect(await whyEnded(ctx, running)).toMatchObject({ code: 'unauthenticated' })
    await permit.complete({ result: 'succeeded' })

    const { id, subjectKey, resource, binding, digest } = approval
    const grant = { approval: id, subjectKey, resource, binding, match: null, digest }
    await insertGrant(ctx.store, { ...grant, rules: ['refunds-need-leads'] }, 15)
    await expect(gate.enforce(attemptAt('refund'))).rejects.toMatchObject({
      code: 'approval-pending',
    })
    gone = []
    await (await gate.enforce(attemptAt('refund'))).complete({ result: 'succeeded' })
  })
})

describe('that of approvers', () => {
  it('nobody votes by it any more, whichever channel it comes by', async () => {
    const approval = await asked()
    gone = ['login']
    await expect(vote(approval)).rejects.toMatchObject({ code: 'not-eligible' })
    expect(await getApproval(ctx.store, approval.id)).toMatchObject({ state: 'pending' })
  })

  it('their votes release nothing, and what they granted covers nothing', async () => {
    const { id, subjectKey, resource, binding, digest } = await asked()
    await vote((await getApproval(ctx.store, id))!)
    await (await gate.enforce(attemptAt('refund'))).complete({ result: 'succeeded' })
    const grant = { approval: id, subjectKey, resource, binding, match: null, digest }
    await insertGrant(ctx.store, { ...grant, rules: ['refunds-need-leads'] }, 15)
    gone = ['login']
    const again = await asked()
    gone = []
    await vote(again)
    gone = ['login']
    await expect(gate.enforce(attemptAt('refund'))).rejects.toMatchObject({
      code: 'approval-invalidated',
    })
  })
})

it('who still counts is who would be let in now', () => {
  const identity = configSchema.shape.identity.parse({
    issuers: [{ issuer: 'https://agents.test', audience: 'sallyport' }],
    login: { issuer: 'https://people.test', client_id: 'console' },
    certificates: [
      { spiffe: 'spiffe://example.org/ns/*/sa/bot' },
      { dns: 'batch.example.org', name: 'batch' },
    ],
  })
  const counts = (how: Shown, issuer: string, subject = 'x') =>
    isStillTrusted(identity, { issuer, subject }, how)
  expect(counts('jwt', 'https://agents.test')).toBe(true)
  expect(counts('jwt', 'https://people.test')).toBe(false)
  expect(counts('opaque-token', 'https://gone.test')).toBe(false)
  expect(counts('login', 'https://people.test')).toBe(true)
  expect(counts('login', 'https://agents.test')).toBe(true)
  expect(counts('login', 'https://gone.test')).toBe(false)
  expect(counts('agent-key', 'sallyport:keys')).toBe(true)
  const spiffe = (id: string) => counts('certificate', 'spiffe://example.org', id)
  expect(spiffe('spiffe://example.org/ns/a/sa/bot')).toBe(true)
  expect(spiffe('spiffe://example.org/ns/a/sa/other')).toBe(false)
  expect(counts('certificate', 'sallyport:certificates', 'batch')).toBe(true)
  expect(counts('certificate', 'sallyport:certificates', 'gone')).toBe(false)
})
