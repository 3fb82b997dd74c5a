import { beforeAll, expect, it } from 'vitest'
import { Keyring } from '../../src/config/keyring.ts'
import { isSpooled, listSendable } from '../../src/approvals/spool.ts'
import { getApproval } from '../../src/approvals/store.ts'
import { Problem } from '../../src/core/errors.ts'
import type { Person } from '../../src/core/person.ts'
import type { Accepted, Attempt } from '../../src/gate/attempt.ts'
import { beginDetached, type Prepare } from '../../src/gate/detached/begin-detached.ts'
import type { GateContext } from '../../src/gate/context.ts'
import { Gate } from '../../src/gate/gate.ts'
import { startHousekeeping } from '../../src/gate/housekeeping.ts'
import { castVote } from '../../src/gate/vote.ts'
import type { Store } from '../../src/store/db.ts'
import { Sealer } from '../../src/store/sealer.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { attemptAt, openTestGate, person } from '../support/gate.ts'
import { openTestStore } from '../support/store.ts'
import { refundsNeed } from './policies.ts'

let store: Store
let ctx: GateContext
let lead: Person

beforeAll(async () => {
  store = await openTestStore()
  // What these tests do to the database is an error that the gateway logs.
  const log = createLog('error', { write: () => undefined })
  ctx = { ...(await openTestGate(store, refundsNeed(1))), log }
  lead = await person(store, 'lena', ['leads'])
})

const secret = 'the body of a refund'

/** Asks for it with `respond-async`, and gets the task's id. */
async function ask(note: string, changes: Partial<Attempt> = {}): Promise<string> {
  const attempt = attemptAt(note, changes)
  const accepted = await new Gate(ctx).enforce({
    ...attempt,
    spool: () => Buffer.from(`${secret}: ${note}`),
  })
  return ((accepted as Accepted).task as { id: string }).id
}

async function approve(id: string): Promise<void> {
  const { digest, viewHash } = (await getApproval(store, id))!
  const vote = { decision: 'approve', digest, viewHash, reason: null, scope: 'once' } as const
  await castVote(ctx, lead, { ...vote, approval: id, channel: 'api' })
}

/** A protocol that counts what it sends, and takes this for the answer. */
function sender(note: string, answer: ReturnType<ReturnType<typeof preparedBy>['answer']>) {
  const sent: string[] = []
  const prepare: Prepare = (_resource, spool) => preparedBy(note, spool, answer, sent)
  return { sent, prepare }
}

function preparedBy(
  note: string,
  spool: Buffer,
  answer: Buffer | 'too-large' | 'no-answer',
  sent: string[],
) {
  const { binding } = attemptAt(note)
  return {
    binding,
    digest: digests.get(note)!,
    answer: () => answer,
    async send(permit: { complete: (outcome: { result: 'succeeded' }) => Promise<void> }) {
      sent.push(spool.toString())
      await permit.complete({ result: 'succeeded' })
    },
  }
}

const digests = new Map<string, string>()
async function digestOf(note: string): Promise<void> {
  digests.set(note, (await attemptAt(note).seal()).digest)
}

async function run(id: string, prepare: Prepare): Promise<void> {
  const run = await beginDetached(ctx, prepare, id)
  await run?.sent
}

const column = async (table: string, id: string): Promise<Buffer | null> => {
  const [row] = await store.query<{ sealed: Buffer | null }>(
    `SELECT sealed FROM sallyport.${table} WHERE approval = $1`,
    [id],
  )
  return row!.sealed
}

const agent = attemptAt('').action.subject

it('gives the answer out also when another key seals by then', async () => {
  await digestOf('rotated')
  const id = await ask('rotated')
  await approve(id)
  await run(id, sender('rotated', Buffer.from('the answer')).prepare)
  const key = (fill: string, at: number) => ({ key: Buffer.alloc(32, fill), madeAt: new Date(at) })
  const rotated = new Sealer(new Keyring([key('s', 0), key('n', 1)]))
  expect(rotated.keyId).not.toBe(ctx.sealer.keyId)
  const { answer } = await new Gate({ ...ctx, sealer: rotated }).response(id, agent)
  expect(answer.toString()).toBe('the answer')
})

it('keeps request and answer where the database cannot read them, and no longer than they are needed', async () => {
  await digestOf('sealed')
  const id = await ask('sealed')
  expect((await column('spooled_requests', id))!.includes(secret)).toBe(false)
  await approve(id)
  const { sent, prepare } = sender('sealed', Buffer.from('the answer'))
  await run(id, prepare)
  expect(sent).toEqual([`${secret}: sealed`])
  expect((await column('kept_responses', id))!.includes('the answer')).toBe(false)

  const housekeeping = startHousekeeping(ctx)
  await housekeeping.once()
  await housekeeping.stop()
  expect(await isSpooled(store, id)).toBe(false)

  const { answer, delivered } = await new Gate(ctx).response(id, agent)
  expect(answer.toString()).toBe('the answer')
  await delivered()
  expect(await column('kept_responses', id)).toBeNull()
  await expect(new Gate(ctx).response(id, agent)).rejects.toMatchObject({
    code: 'response-gone',
    members: { reason: 'delivered' },
  })
})

it('sends nothing that was changed in the database, or put in the place of another (class 11)', async () => {
  await digestOf('mine')
  const [mine, other, changed] = [await ask('mine'), await ask('other'), await ask('changed')]
  for (const id of [mine, other, changed]) await approve(id)
  await store.query(
    `UPDATE sallyport.spooled_requests s SET sealed = o.sealed
       FROM sallyport.spooled_requests o WHERE s.approval = $1 AND o.approval = $2`,
    [mine, other],
  )
  await store.query(
    `UPDATE sallyport.spooled_requests
        SET sealed = set_byte(sealed, length(sealed) - 1, get_byte(sealed, length(sealed) - 1) # 1)
      WHERE approval = $1`,
    [changed],
  )
  for (const id of [mine, changed]) {
    const { sent, prepare } = sender('mine', 'no-answer')
    await run(id, prepare)
    expect(sent).toEqual([])
    expect(await getApproval(store, id)).toMatchObject({ state: 'invalidated' })
  }
  // What was not touched is another payload than the one that this sender has.
  const { sent, prepare } = sender('mine', 'no-answer')
  await run(other, prepare)
  expect(sent).toEqual([])
})

it('does not keep an answer for longer than it says', async () => {
  await digestOf('late')
  const hurried = { ...ctx, limits: { ...ctx.limits, keep_response: 0 } }
  const id = await ask('late')
  await approve(id)
  const run = await beginDetached(hurried, sender('late', Buffer.from('late')).prepare, id)
  await run?.sent
  await expect(new Gate(ctx).response(id, agent)).rejects.toMatchObject({
    members: { reason: 'expired' },
  })
  const housekeeping = startHousekeeping(ctx)
  await housekeeping.once()
  await housekeeping.stop()
  expect(await column('kept_responses', id)).toBeNull()
})

it('does not touch what was sealed by a key that it does not have', async () => {
  await digestOf('sealed before')
  const id = await ask('sealed before')
  await approve(id)
  const stranger = new Sealer(
    new Keyring([{ key: Buffer.alloc(32, 'another'), madeAt: new Date(0) }]),
  )
  expect(await listSendable(store, stranger.keyIds, [], 100)).toEqual([])
  expect(await listSendable(store, ctx.sealer.keyIds, [], 100)).toContain(id)
  await run(id, sender('sealed before', Buffer.from('the answer')).prepare)
  await expect(new Gate({ ...ctx, sealer: stranger }).response(id, agent)).rejects.toMatchObject({
    code: 'response-gone',
    members: { reason: 'not-kept' },
  })
})

it('leaves nothing to the gateway that its issuer has to be asked about again: that request waits as usual', async () => {
  const credential = { ...attemptAt('').credential, recheck: () => Promise.resolve() }
  const waited = ask('introspected', { credential })
  await expect(waited).rejects.toThrow(Problem)
  await expect(waited).rejects.toMatchObject({ code: 'approval-pending' })
})
