import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import type { VoteDecision } from '../../src/approvals/approval.ts'
import { getApproval } from '../../src/approvals/store.ts'
import type { Problem } from '../../src/core/errors.ts'
import type { Person } from '../../src/core/person.ts'
import type { Subject } from '../../src/core/subject.ts'
import type { Attempt } from '../../src/gate/attempt.ts'
import type { Ballot } from '../../src/gate/ballot.ts'
import type { GateContext } from '../../src/gate/context.ts'
import { Gate } from '../../src/gate/gate.ts'
import { castVote } from '../../src/gate/vote.ts'
import { rememberPerson } from '../../src/identity/people.ts'
import type { Store } from '../../src/store/db.ts'
import { attemptAt, compileTestPolicies, openTestGate, person } from '../support/gate.ts'
import { openTestStore, storeKinds } from '../support/store.ts'

const rule = (name: string, path: string, approval: string) => `
  - name: ${name}
    on: crm
    what: { http: { method: POST, path: ${path} } }
    then: hold
    approval: ${approval}`

const onCall = 'break_glass: { from: { group: on-call } }'
const offered = `rules:
${rule('refunds', '/v1/refunds', `{ from: { group: leads }, quorum: 2, ${onCall} }`)}
${rule('urgent', '/v1/urgent', `{ from: { group: leads }, quorum: 2 }`)}
${rule('urgent-again', '/v1/urgent', `{ from: { group: leads }, ${onCall} }`)}
${rule('both', '/v1/both', `{ from: { group: leads }, quorum: 3, ${onCall} }`)}
${rule('both-again', '/v1/both', `{ from: { group: owners }, break_glass: { from: { group: owners } } }`)}
`
const withdrawn = offered.replaceAll(`, ${onCall}`, '')

const because = 'The shop is down, and this brings it back.'

describe.each(storeKinds)('breaking the glass, on the %s store', (kind) => {
  let store: Store
  let ctx: GateContext
  let gate: Gate
  let noor: Person
  let dana: Person
  let omar: Person
  let notes = 0

  beforeAll(async () => {
    store = await openTestStore(kind)
    ctx = await openTestGate(store, offered)
    gate = new Gate(ctx)
    noor = await person(store, 'noor', ['on-call'])
    dana = await person(store, 'dana', ['leads', 'on-call'])
    omar = await person(store, 'omar', ['leads', 'on-call', 'owners'])
  })

  /** Asks, and gives what to send again once it is approved. */
  async function ask(path = '/v1/refunds', subject?: Subject) {
    const note = `note ${++notes}`
    const again = (): Attempt => {
      const attempt = attemptAt(note, { path })
      return subject ? { ...attempt, action: { ...attempt.action, subject } } : attempt
    }
    const pending = (await gate.enforce(again()).catch((error: Problem) => error)) as Problem
    expect(pending.code, pending.message).toBe('approval-pending')
    return { id: (pending.members['task'] as { id: string }).id, again }
  }

  async function vote(who: Person, id: string, decision: VoteDecision, more: Partial<Ballot> = {}) {
    const { digest, viewHash } = (await getApproval(store, id))!
    const ballot = {
      approval: id,
      decision,
      digest,
      viewHash,
      scope: 'once',
      channel: 'api',
    } as const
    return castVote(ctx, who, { ...ballot, reason: because, ...more })
  }

  const events = async (id: string) => {
    const rows = await store.query<{ type: string }>(
      'SELECT type FROM sallyport.audit_events WHERE approval = $1 ORDER BY id',
      [id],
    )
    return rows.map(({ type }) => type)
  }

  it('releases it alone, whatever the quorum, and the record calls it what it is', async () => {
    const { id, again } = await ask()
    const view = await vote(noor, id, 'break_glass')
    expect(view).toMatchObject({
      state: 'approved',
      break_glass: [{ group: 'on-call' }],
      broken_glass: { subject: 'noor', decision: 'break_glass', reason: because, channel: 'api' },
      requirements: [{ quorum: 2, votes: [] }],
    })
    const permit = await gate.enforce(again())
    await permit.complete({ result: 'succeeded', status: 201 })
    const story = await events(id)
    expect(story).toContain('approval.broken_glass')
    expect(story).not.toContain('approval.voted')
    expect(story.at(-1)).toBe('action.completed')
  })

  it('is for those alone whom the rule lets do it', async () => {
    const lead = await person(store, 'kai', ['leads'])
    const { id } = await ask()
    await expect(vote(lead, id, 'break_glass')).rejects.toMatchObject({ code: 'not-eligible' })
    // And they are not among the approvers for that.
    await expect(vote(noor, id, 'approve')).rejects.toMatchObject({ code: 'not-eligible' })
    await expect(vote(noor, id, 'deny')).rejects.toMatchObject({ code: 'not-eligible' })
    expect((await getApproval(store, id))!.state).toBe('pending')
  })

  it('takes a reason that says something', async () => {
    const { id } = await ask()
    for (const reason of [null, '', 'urgent', '  urgent!     ', '😀😀😀😀😀']) {
      await expect(vote(noor, id, 'break_glass', { reason })).rejects.toMatchObject({
        code: 'bad-request',
      })
    }
    expect(await events(id)).not.toContain('approval.broken_glass')
  })

  it('releases one run: nobody grants more with it, not even together with others', async () => {
    const { id, again } = await ask()
    await expect(vote(noor, id, 'break_glass', { scope: { minutes: 5 } })).rejects.toMatchObject({
      code: 'bad-request',
    })
    await vote(dana, id, 'approve')
    await vote(noor, id, 'break_glass')
    await (await gate.enforce(again())).complete({ result: 'succeeded' })
    await expect(gate.enforce(again())).rejects.toMatchObject({ code: 'approval-pending' })
  })

  it('is there for whoever has approved, and waits for others in vain', async () => {
    const { id, again } = await ask()
    expect(await vote(dana, id, 'approve')).toMatchObject({ state: 'pending' })
    expect(await vote(dana, id, 'break_glass')).toMatchObject({
      state: 'approved',
      requirements: [{ votes: [{ subject: 'dana', decision: 'approve' }] }],
      broken_glass: { subject: 'dana' },
    })
    await gate.enforce(again())
  })

  it('needs every rule that holds it to offer it: one cannot open what another one closes', async () => {
    const urgent = await ask('/v1/urgent')
    const refused = vote(noor, urgent.id, 'break_glass')
    await expect(refused).rejects.toMatchObject({
      code: 'not-eligible',
      message: 'Nobody may release this alone.',
    })
    const both = await ask('/v1/both')
    await expect(vote(noor, both.id, 'break_glass')).rejects.toMatchObject({
      message: 'Only who is in on-call and owners may release this alone.',
    })
    expect(await vote(omar, both.id, 'break_glass')).toMatchObject({ state: 'approved' })
  })

  it('cannot be used any more once the rule does not offer it', async () => {
    const { id, again } = await ask()
    await vote(noor, id, 'break_glass')
    const now = new Gate({ ...ctx, policies: () => compileTestPolicies(withdrawn) })
    await expect(now.enforce(again())).rejects.toMatchObject({ code: 'approval-invalidated' })
  })

  it('cannot be used any more once who broke it is not among those who may', async () => {
    const { id, again } = await ask()
    const kim = await person(store, 'kim', ['on-call'])
    await vote(kim, id, 'break_glass')
    await person(store, 'kim', ['engineering'])
    await expect(gate.enforce(again())).rejects.toMatchObject({ code: 'approval-invalidated' })
  })

  it('comes too late when somebody has said no', async () => {
    const { id } = await ask()
    await vote(dana, id, 'deny')
    await expect(vote(noor, id, 'break_glass')).rejects.toMatchObject({ code: 'already-resolved' })
  })

  it('never lets through who is behind the action, in whatever role (class 13)', async () => {
    const issuer = 'https://idp.test'
    const name = fc.constantFrom('noor', 'dana', 'omar')
    // Noor again, as the identity provider calls her in the tokens of another client.
    const alias = await rememberPerson(store, {
      ...noor,
      subject: '00u-noor',
      identifiers: ['00u-noor', 'noor'],
    })
    const voters = [noor, dana, omar, alias]
    const party = name.map((subject) => ({ issuer, subject }))
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('bot', 'noor', 'dana'),
        fc.oneof(party, fc.constantFrom({ group: 'owners' }, { group: 'engineering' })),
        fc.array(party, { maxLength: 2 }),
        fc.array(party, { maxLength: 1 }),
        fc.constantFrom(...voters),
        async (subject, owner, chain, related, who) => {
          const parties = [...chain, ...related, ...('group' in owner ? [] : [owner])]
          const behind =
            [subject, ...parties.map((one) => one.subject)].some((one) =>
              who.identifiers.includes(one),
            ) ||
            ('group' in owner && who.groups.includes(owner.group))
          const asker: Subject = {
            ...{ issuer, subject, kind: 'agent', groups: [], claims: {} },
            ...{ owner, chain, related },
          }
          const { id } = await ask('/v1/refunds', asker)
          const outcome = await vote(who, id, 'break_glass').then(
            ({ state }) => state,
            ({ code }: Problem) => code,
          )
          expect(outcome).toBe(behind ? 'self-approval' : 'approved')
          expect((await getApproval(store, id))!.state).toBe(behind ? 'pending' : 'approved')
        },
      ),
      { numRuns: 40 },
    )
  })
})
