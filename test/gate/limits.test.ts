import { beforeAll, describe, expect, it } from 'vitest'
import type { GateContext } from '../../src/gate/context.ts'
import { Gate } from '../../src/gate/gate.ts'
import { castVote } from '../../src/gate/vote.ts'
import { endSubject } from '../../src/identity/end-subject.ts'
import { getApproval, moveApproval } from '../../src/approvals/store.ts'
import { ranBefore } from '../../src/gate/ran-before.ts'
import { Problem } from '../../src/core/errors.ts'
import { attemptAt, openTestGate, person } from '../support/gate.ts'
import { openTestStore } from '../support/store.ts'
import type { Store } from '../../src/store/db.ts'
import { refundsNeed } from './policies.ts'

let store: Store
let ctx: GateContext

beforeAll(async () => {
  store = await openTestStore()
  ctx = await openTestGate(store, refundsNeed(1))
})

async function problemOf(work: Promise<unknown>): Promise<Problem> {
  const error: unknown = await work.then(
    () => new Error('it ran'),
    (failure: unknown) => failure,
  )
  if (error instanceof Problem) return error
  throw error
}

async function ask(gate: Gate, note: string): Promise<string> {
  const problem = await problemOf(gate.enforce(attemptAt(note)))
  expect(problem.code).toBe('approval-pending')
  return (problem.members['task'] as { id: string }).id
}

describe('an agent', () => {
  it('that asks for more than people can look at is told so, also when nothing of it is open', async () => {
    const fresh = await openTestStore()
    const few = await openTestGate(fresh, refundsNeed(1))
    const gate = new Gate({ ...few, limits: { ...few.limits, max_per_hour: 3 } })
    for (const note of ['one', 'two', 'three']) {
      const id = await ask(gate, note)
      await gate.cancel(id, attemptAt(note).action.subject)
    }
    expect((await problemOf(gate.enforce(attemptAt('four')))).code).toBe('hold-rate-exceeded')
  })

  it('that cancels too late does not learn who decided', async () => {
    const gate = new Gate(ctx)
    const id = await ask(gate, 'who was it?')
    const approval = (await getApproval(store, id))!
    const dana = await person(store, 'dana', ['leads'])
    await castVote(ctx, dana, {
      approval: id,
      decision: 'deny',
      digest: approval.digest,
      viewHash: approval.viewHash,
      reason: 'no',
      scope: 'once',
      channel: 'api',
    })
    const problem = await problemOf(gate.cancel(id, approval.action.subject))
    expect(problem.code).toBe('already-resolved')
    expect(JSON.stringify(problem)).not.toContain('dana')
  })
})

describe('an approver', () => {
  it('is told that the same ran before, also under what was granted for some minutes', async () => {
    const granting = await openTestGate(
      await openTestStore(),
      refundsNeed(1).replace('quorum: 1 }', 'quorum: 1, scope: [once, { minutes: 5 }] }'),
    )
    const gate = new Gate(granting)
    const first = await ask(gate, 'twice')
    const approval = (await getApproval(granting.store, first))!
    const dana = await person(granting.store, 'dana', ['leads'])
    await castVote(granting, dana, {
      approval: first,
      decision: 'approve',
      digest: approval.digest,
      viewHash: approval.viewHash,
      reason: null,
      scope: { minutes: 5 },
      channel: 'api',
    })
    const run = await gate.enforce(attemptAt('twice'))
    await run.complete({ result: 'unknown' })

    // Asked anew, as it is once the minutes are over.
    const asked = await ranBefore(granting.store, approval.subjectKey, 'crm', approval.digest)
    expect(asked).toEqual({ id: first, state: 'unknown' })
  })
})

describe('the database', () => {
  it('calls nothing approved that too few people have approved, whatever the code says', async () => {
    const two = await openTestGate(await openTestStore(), refundsNeed(2))
    const id = await ask(new Gate(two), 'alone')
    const approval = (await getApproval(two.store, id))!
    const dana = await person(two.store, 'dana', ['leads'])
    await castVote(two, dana, {
      approval: id,
      decision: 'approve',
      digest: approval.digest,
      viewHash: approval.viewHash,
      reason: null,
      scope: 'once',
      channel: 'api',
    })
    expect((await getApproval(two.store, id))!.state).toBe('pending')
    await expect(moveApproval(two.store, approval, { to: 'approved' })).rejects.toThrow(
      'not as many people have approved',
    )
  })

  it('counts nobody whose account was disabled after their vote (class 16)', async () => {
    const two = await openTestGate(await openTestStore(), refundsNeed(2))
    const id = await ask(new Gate(two), 'one of them has left')
    const approval = (await getApproval(two.store, id))!
    const ballot = { approval: id, digest: approval.digest, viewHash: approval.viewHash } as const
    const end = (what: 'disabled' | 'enabled', at: Date) =>
      two.store.tx((tx) => endSubject(tx, { issuers: [dana.issuer], name: 'dana', at, what }))
    const [dana, omar] = [
      await person(two.store, 'dana', ['leads']),
      await person(two.store, 'omar', ['leads']),
    ]
    for (const [voter, left] of [
      [dana, true],
      [omar, false],
    ] as const) {
      await castVote(two, voter, {
        ...ballot,
        decision: 'approve',
        reason: null,
        scope: 'once',
        channel: 'api',
      })
      if (left) await end('disabled', new Date(Date.now() - 60_000))
    }
    expect((await getApproval(two.store, id))!.state).toBe('pending')
    await expect(moveApproval(two.store, approval, { to: 'approved' })).rejects.toThrow(
      'not as many people have approved',
    )
    // Both votes are there: with the account, the one that was missing comes back.
    await end('enabled', new Date())
    expect((await moveApproval(two.store, approval, { to: 'approved' }))!.state).toBe('approved')
  })

  it.each(['binding', 'ran_before'])(
    'lets nobody change what an approval is bound to: %s',
    async (column) => {
      const id = await ask(new Gate(ctx), `bound by ${column}`)
      const value = column === 'binding' ? 'elsewhere' : '{"id":"x","state":"failed"}'
      const change = store.query(
        `UPDATE sallyport.approvals SET ${column} = $2, state = 'cancelled', version = version + 1 WHERE id = $1`,
        [id, value],
      )
      await expect(change).rejects.toThrow('cannot change')
    },
  )
})

describe('on_disconnect: cancel', () => {
  it('cancels nothing that somebody waits for, on whichever replica', async () => {
    const cancelling = (it: GateContext): GateContext => ({
      ...it,
      limits: { ...it.limits, on_disconnect: 'cancel' },
    })
    const [here, there] = [
      new Gate(cancelling(ctx)),
      new Gate(cancelling(await openTestGate(store, refundsNeed(1)))),
    ]
    const [first, second] = [new AbortController(), new AbortController()]
    const wait = { waitMs: 30_000 }
    const atOne = problemOf(here.enforce(attemptAt('both', { ...wait, caller: first.signal })))
    const id = await openOne()
    const atOther = problemOf(there.enforce(attemptAt('both', { ...wait, caller: second.signal })))
    await expect.poll(() => waiters(id), { timeout: 60_000 }).toBe(2)
    first.abort()
    expect((await atOne).code).toBe('approval-pending')
    expect((await getApproval(store, id))!.state).toBe('pending')
    second.abort()
    await atOther
    expect((await getApproval(store, id))!.state).toBe('cancelled')
  })

  async function openOne(): Promise<string> {
    for (;;) {
      const [row] = await store.query<{ approval: string }>(
        'SELECT approval FROM sallyport.approval_waiters LIMIT 1',
      )
      if (row) return row.approval
    }
  }

  async function waiters(id: string): Promise<number> {
    const rows = await store.query('SELECT FROM sallyport.approval_waiters WHERE approval = $1', [
      id,
    ])
    return rows.length
  }
})
