import { randomUUID } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Approval, Connection } from '../../src/approvals/approval.ts'
import { insertGrant, listGrants } from '../../src/approvals/grants.ts'
import { getApproval, moveApproval } from '../../src/approvals/store.ts'
import { insertVote } from '../../src/approvals/votes.ts'
import type { Scope } from '../../src/approvals/scope.ts'
import type { Problem } from '../../src/core/errors.ts'
import type { GateContext } from '../../src/gate/context.ts'
import { Gate } from '../../src/gate/gate.ts'
import { noticeOf } from '../../src/gate/notices/notice.ts'
import { attemptAt, openTestGate, person } from '../support/gate.ts'
import { openTestStore, storeKinds } from '../support/store.ts'
import { refundsNeed } from '../gate/policies.ts'

const credential = { kind: 'jwt', id: 'token', expiresAt: Date.now() + 3_600_000 } as const

describe.each(storeKinds)('the %s store', (kind) => {
  let ctx: GateContext
  let gate: Gate
  let count = 0

  beforeAll(async () => {
    ctx = await openTestGate(await openTestStore(kind), refundsNeed(1))
    gate = new Gate(ctx)
    await person(ctx.store, 'dana', ['leads'])
  })

  /** Asked for on a connection, or on none, by a vote with this scope. */
  async function approved(connection: string | null, scope: Scope): Promise<Approval> {
    const attempt = attemptAt(`refund ${++count}`, { connection, credential })
    const refused = await gate.enforce(attempt).catch((error: unknown) => error as Problem)
    const { id } = (refused as Problem).members['task'] as { id: string }
    const vote = { issuer: 'https://idp.test', subject: 'dana', decision: 'approve' } as const
    const shown = { reason: null, viewHash: 'view', channel: 'api' }
    await insertVote(ctx.store, id, { ...vote, ...shown, scope })
    const pending = (await getApproval(ctx.store, id))!
    return (await moveApproval(ctx.store, pending, { to: 'approved' }))!
  }

  function grant(approval: Approval, on: Connection | null, minutes = 30): Promise<string> {
    const { id, subjectKey, resource, binding, digest } = approval
    const bound = { approval: id, subjectKey, resource, binding, digest }
    return insertGrant(ctx.store, { ...bound, match: null, rules: ['r'] }, minutes, on)
  }

  it('takes a grant for the session that asked, and gives it to that one alone', async () => {
    const approval = await approved(randomUUID(), { session: true })
    const id = await grant(approval, approval.connection)
    const on = (connection: string | null) =>
      listGrants(ctx.store, approval.subjectKey, 'crm', approval.binding, connection)
    expect(await on(approval.connection!.id)).toMatchObject([{ id }])
    expect(await on(randomUUID())).toEqual([])
    expect(await on(null)).toEqual([])
  })

  it('ends it with the credential that opened the connection', async () => {
    const approval = await approved(randomUUID(), { session: true })
    const { subjectKey, binding, connection } = approval
    await grant(approval, connection, 720)
    const [only] = await listGrants(ctx.store, subjectKey, 'crm', binding, connection!.id)
    expect(only!.expiresAt.getTime()).toBe(credential.expiresAt)
  })

  it('refuses a session to another connection, beyond its end, or for more than half a day', async () => {
    const approval = await approved(randomUUID(), { session: true })
    const { connection } = approval
    const other = { ...connection!, id: randomUUID() }
    await expect(grant(approval, other)).rejects.toMatchObject({ code: 'SP002' })
    const endless = { ...connection!, until: null }
    await expect(grant(approval, endless, 90)).rejects.toMatchObject({ code: 'SP002' })
    await expect(grant(approval, endless, 721)).rejects.toMatchObject({ code: 'SP002' })
  })

  it('refuses a session that an approver did not grant, and more than the session that one did', async () => {
    const once = await approved(randomUUID(), 'once')
    await expect(grant(once, once.connection)).rejects.toMatchObject({ code: 'SP002' })
    const session = await approved(randomUUID(), { session: true })
    await expect(grant(session, null)).rejects.toMatchObject({ code: 'SP002' })
  })

  it('refuses a vote for the session where there is none', async () => {
    await expect(approved(null, { session: true })).rejects.toMatchObject({ code: 'SP002' })
  })

  it('says in words what a session means, where there is one', async () => {
    const approval = await approved(randomUUID(), 'once')
    const [asks] = approval.decision.requirements
    const scope = [{ kind: 'session', match: ['http.path'] }] as const
    const offering = { ...approval.decision, requirements: [{ ...asks!, scope }] }
    const row = { id: '', wanted: 1, purpose: 'announce', target: '' } as const
    const grantsOf = (connection: Connection | null) =>
      noticeOf(
        { ...row, receipt: null, announced: null },
        { ...approval, decision: offering, connection },
        [],
        'https://console.test',
      ).story.grants
    expect(grantsOf(null)).toEqual([])
    expect(grantsOf(approval.connection)).toEqual([
      {
        scope: { session: true },
        label: 'Approve for this session',
        words:
          'Until this session of refund-bot with crm ends, and for 12 hours at most, the agent may run in it, without asking again, every request with the same http.path "/v1/refunds".',
      },
    ])
  })

  it('keeps the connection that asked', async () => {
    const { id } = await approved(randomUUID(), { session: true })
    const another = ctx.store.query(
      `UPDATE sallyport.approvals SET version = version + 1, state = 'cancelled', connection = NULL WHERE id = $1`,
      [id],
    )
    await expect(another).rejects.toMatchObject({ code: 'SP002' })
  })
})
