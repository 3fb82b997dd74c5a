import { randomUUIDv7 } from 'node:crypto'
import { beforeAll, describe, expect, it } from 'vitest'
import type { VoteDecision } from '../../src/approvals/approval.ts'
import { edges, states, type ApprovalState } from '../../src/approvals/machine.ts'
import {
  getApproval,
  insertApproval,
  insertExclusion,
  moveApproval,
} from '../../src/approvals/store.ts'
import { insertVote, isExcludedByStore } from '../../src/approvals/votes.ts'
import { listApprovals } from '../../src/approvals/lists.ts'
import { Unknown, type Action } from '../../src/core/action.ts'
import type { JsonObject } from '../../src/core/json.ts'
import type { Store } from '../../src/store/db.ts'
import { openTestStore, storeKinds } from '../support/store.ts'

const issuer = 'https://idp.test'

const action: Action = {
  id: randomUUIDv7(),
  name: 'http.request',
  subject: {
    issuer,
    subject: 'refund-bot',
    kind: 'agent',
    groups: ['agents'],
    owner: { issuer, subject: 'priya' },
    chain: [],
    related: [],
    claims: {},
  },
  resource: 'crm',
  effect: 'write',
  attributes: { http: { method: 'POST', path: '/v1/refunds', json: new Unknown('too large') } },
  summary: 'POST /v1/refunds',
  agentReason: null,
  trace: null,
}

const awkward = { note: 'a NUL \u0000 and a lone surrogate \ud800 are kept' }

describe.each(storeKinds)('approvals in the %s store', (kind) => {
  let store: Store

  beforeAll(async () => {
    store = await openTestStore(kind)
    for (const [subject, identifiers, groups] of [
      ['dana', ['dana', 'dana@example.com'], ['leads']],
      ['priya', ['priya', 'priya@example.com'], ['leads']],
      ['priya-at-work', ['priya-at-work'], ['leads']],
      ['omar', ['omar'], ['leads', 'growth']],
    ] as const) {
      await store.query(
        `INSERT INTO sallyport.people (issuer, subject, name, groups, identifiers) VALUES ($1, $2, $2, $3, $4)`,
        [issuer, subject, groups, identifiers],
      )
    }
    await store.query(
      `INSERT INTO sallyport.person_aliases (issuer, subject, canonical_issuer, canonical_subject)
       VALUES ($1, 'priya-at-work', $1, 'priya')`,
      [issuer],
    )
  })

  async function pending(minutes = 5, payload: JsonObject = awkward) {
    const id = randomUUIDv7()
    const createdAt = new Date()
    await insertApproval(store, {
      id,
      subjectKey: 'subject',
      resource: 'crm',
      digest: randomUUIDv7(),
      binding: 'upstream',
      action,
      payload,
      decision: { verdict: 'hold', reason: 'X', rules: ['r'], policy: 'p', requirements: [] },
      viewHash: 'view',
      ranBefore: null,
      connection: null,
      definitions: null,
      createdAt,
      expiresAt: new Date(createdAt.getTime() + minutes * 60_000),
    })
    return (await getApproval(store, id))!
  }

  const vote = (subject: string, decision: VoteDecision = 'approve') => ({
    issuer,
    subject,
    decision,
    reason: null,
    scope: 'once' as const,
    viewHash: 'view',
    channel: 'api',
  })

  const holder = { replica: randomUUIDv7(), epoch: 1, action: randomUUIDv7() }

  /** An approval in this state, by the shortest way. */
  async function inState(state: ApprovalState) {
    const ways: Record<string, ApprovalState[]> = {
      approved: ['approved'],
      dispatching: ['approved', 'dispatching'],
      succeeded: ['approved', 'dispatching', 'succeeded'],
      failed: ['approved', 'dispatching', 'failed'],
      unknown: ['approved', 'dispatching', 'unknown'],
    }
    let approval = await pending()
    if (state === 'pending') return approval
    for (const to of ways[state] ?? [state]) {
      if (to === 'approved') await insertVote(store, approval.id, vote('dana'))
      approval = (await moveApproval(store, approval, { to, holder }))!
    }
    return approval
  }

  it('keeps what an agent sent as it was', async () => {
    const { payload, action: kept } = await pending()
    expect(payload).toEqual(awkward)
    expect(kept.attributes['http']!['json']).toEqual(new Unknown('too large'))
  })

  it('takes exactly the edges of the state machine, and refuses every other', async () => {
    for (const from of states) {
      for (const to of states) {
        const approval = await inState(from)
        if (to === 'approved' && from === 'pending') {
          await insertVote(store, approval.id, vote('dana'))
        }
        const taken = await moveApproval(store, approval, { to }).then(
          (moved) => moved?.state === to,
          (error: { code: string }) => {
            expect(error.code).toBe('SP002')
            return false
          },
        )
        const allowed = (edges[from] as readonly string[]).includes(to)
        expect(taken, `${from} → ${to}`).toBe(allowed)
      }
    }
  })

  it('refuses an approval without a vote of anybody', async () => {
    const approval = await pending()
    await expect(moveApproval(store, approval, { to: 'approved' })).rejects.toMatchObject({
      code: 'SP002',
    })
  })

  it('refuses to approve past the time, by its own clock (class 16)', async () => {
    const approval = await pending(-1)
    await expect(insertVote(store, approval.id, vote('dana'))).rejects.toMatchObject({
      code: 'SP002',
    })
    await expect(moveApproval(store, approval, { to: 'approved' })).rejects.toMatchObject({
      code: 'SP002',
    })
  })

  it('refuses a change of what was asked for (class 11)', async () => {
    const approval = await pending()
    for (const change of [`digest = 'other'`, `payload = '{}'`, `expires_at = 'infinity'`]) {
      const update = `UPDATE sallyport.approvals SET ${change}, state = 'cancelled', version = 2 WHERE id = $1`
      await expect(store.query(update, [approval.id])).rejects.toMatchObject({ code: 'SP002' })
    }
  })

  it('lets the first of two edges win, and the second find out', async () => {
    const approval = await pending()
    const outcomes = await Promise.all([
      moveApproval(store, approval, { to: 'cancelled' }),
      moveApproval(store, approval, { to: 'expired' }),
    ])
    expect(outcomes.filter((moved) => moved !== null)).toHaveLength(1)
  })

  it('refuses the vote of whoever is behind the action, under any name (class 13)', async () => {
    const approval = await pending()
    await insertExclusion(store, approval.id, {
      parties: [{ issuer, subject: 'Priya@Example.com' }],
      groups: ['growth'],
    })
    for (const name of ['priya', 'priya-at-work', 'omar']) {
      await expect(insertVote(store, approval.id, vote(name)), name).rejects.toMatchObject({
        code: 'SP003',
      })
      expect(await isExcludedByStore(store, approval.id, { issuer, subject: name })).toBe(true)
    }
    expect(await insertVote(store, approval.id, vote('dana'))).toBe(true)
  })

  it('takes one vote of each person, whatever their identities', async () => {
    const approval = await pending()
    expect(await insertVote(store, approval.id, vote('priya'))).toBe(true)
    expect(await insertVote(store, approval.id, vote('priya'))).toBe(false)
    expect(await insertVote(store, approval.id, vote('priya-at-work'))).toBe(false)
  })

  it('takes a broken glass only with a reason, for one run, and from nobody who is behind the action (class 13)', async () => {
    const approval = await pending()
    await insertExclusion(store, approval.id, {
      parties: [{ issuer, subject: 'Priya@Example.com' }],
      groups: ['growth'],
    })
    const glass = (subject: string, more: object = {}) =>
      insertVote(store, approval.id, {
        ...vote(subject, 'break_glass'),
        reason: 'the shop is down',
        ...more,
      })
    for (const name of ['priya', 'priya-at-work', 'omar']) {
      await expect(glass(name), name).rejects.toMatchObject({ code: 'SP003' })
    }
    for (const less of [{ reason: null }, { reason: 'urgent   ' }, { scope: { minutes: 5 } }]) {
      await expect(glass('dana', less)).rejects.toMatchObject({ code: '23514' })
    }
    await expect(moveApproval(store, approval, { to: 'approved' })).rejects.toMatchObject({
      code: 'SP002',
    })
    // Whoever has approved, and waits for others in vain, can still break it.
    expect(await insertVote(store, approval.id, vote('dana'))).toBe(true)
    expect(await insertVote(store, approval.id, vote('dana', 'deny'))).toBe(false)
    expect(await glass('dana')).toBe(true)
    expect(await glass('dana')).toBe(false)
    expect(await moveApproval(store, approval, { to: 'approved' })).toMatchObject({
      state: 'approved',
    })
  })

  it('does not let the gateway change or delete a vote', async () => {
    for (const tamper of [
      `UPDATE sallyport.approval_votes SET decision = 'approve'`,
      'DELETE FROM sallyport.approval_votes',
      'DELETE FROM sallyport.approval_exclusions',
      'DELETE FROM sallyport.approvals',
    ]) {
      await expect(store.query(tamper)).rejects.toMatchObject({ code: '42501' })
    }
  })

  it('lists the newest first, a page at a time, and fewer of them when they are large', async () => {
    const large = { note: 'x'.repeat(1_500_000) }
    const ids: string[] = []
    for (const payload of [{}, large, large, {}, {}]) ids.unshift((await pending(5, payload)).id)

    const seen: string[] = []
    const sizes: number[] = []
    let before: string | undefined
    do {
      const page = await listApprovals(store, { limit: 2, ...(before && { before }) })
      seen.push(...page.approvals.map(({ id }) => id))
      sizes.push(page.approvals.length)
      before = page.next ?? undefined
    } while (before && seen.length < 5)
    expect(seen.slice(0, 5)).toEqual(ids)
    expect(sizes.slice(0, 2)).toEqual([2, 2])

    const { approvals, next } = await listApprovals(store, { limit: 100 })
    expect(approvals.map(({ id }) => id)).toEqual(ids.slice(0, 4))
    expect(next).toBe(ids[3])
  })

  it('has one open request for the same subject, resource and digest', async () => {
    const { digest } = await pending()
    const again = pending().then(async (other) =>
      store.query(
        `INSERT INTO sallyport.approvals (id, subject_key, resource, digest, binding, action, payload, decision, view_hash, expires_at)
         SELECT $1, subject_key, resource, $2, binding, action, payload, decision, view_hash, expires_at
           FROM sallyport.approvals WHERE id = $3`,
        [randomUUIDv7(), digest, other.id],
      ),
    )
    await expect(again).rejects.toMatchObject({ code: '23505' })
  })
})
