import { beforeAll, describe, expect, it } from 'vitest'
import { getApproval } from '../../src/approvals/store.ts'
import { lockSubject } from '../../src/approvals/asked.ts'
import { Problem } from '../../src/core/errors.ts'
import type { Person } from '../../src/core/person.ts'
import type { Attempt } from '../../src/gate/attempt.ts'
import { subjectKey } from '../../src/gate/binding.ts'
import type { GateContext } from '../../src/gate/context.ts'
import { Gate } from '../../src/gate/gate.ts'
import type { Permit } from '../../src/gate/permit.ts'
import { castVote } from '../../src/gate/vote.ts'
import type { Store } from '../../src/store/db.ts'
import { attemptAt, openTestGate, person } from '../support/gate.ts'
import { openTestStore, storeKinds } from '../support/store.ts'
import { refundsNeed } from './policies.ts'

const soon = { timeout: 60_000, interval: 20 }

/** What an attempt came to: the code of its problem, or `ran`. */
const ran = ({ digest }: Permit) => (digest === null ? 'not held' : 'ran')
const codeOf = (error: unknown) => (error instanceof Problem ? error.code : String(error))

function by(subject: string, attempt: Attempt): Attempt {
  const { action } = attempt
  return { ...attempt, action: { ...action, subject: { ...action.subject, subject } } }
}

function count(all: readonly string[]): Record<string, number> {
  const entries = [...new Set(all)].map((one) => [one, all.filter((it) => it === one).length])
  return Object.fromEntries(entries) as Record<string, number>
}

describe.each(storeKinds)('many at once, on two replicas of the %s store', (kind) => {
  let store: Store
  let replicas: readonly GateContext[]
  let dana: Person

  beforeAll(async () => {
    store = await openTestStore(kind)
    replicas = [
      await openTestGate(store, refundsNeed(1)),
      await openTestGate(store, refundsNeed(1)),
    ]
    dana = await person(store, 'dana', ['leads'])
  })

  const gateAt = (index: number, changes: Partial<GateContext> = {}) =>
    new Gate({ ...replicas[index % replicas.length]!, ...changes })

  async function approve(id: string): Promise<void> {
    const { digest, viewHash } = (await getApproval(store, id))!
    const ballot = { approval: id, decision: 'approve', digest, viewHash } as const
    await castVote(replicas[1]!, dana, {
      ...ballot,
      reason: null,
      scope: 'once',
      channel: 'api',
    })
  }

  async function onlyOpen(subject: string): Promise<string> {
    const rows = await store.query<{ id: string }>(
      `SELECT id FROM sallyport.approvals
        WHERE state = 'pending' AND action -> 'subject' ->> 'subject' = $1`,
      [subject],
    )
    expect(rows).toHaveLength(1)
    return rows[0]!.id
  }

  const waiting = () => replicas.reduce((sum, { holds }) => sum + holds.waiting, 0)

  it('requests that differ open as many approvals as their subject may have, and not one more (class 15)', async () => {
    const limits = { ...replicas[0]!.limits, max_per_subject: 4 }
    const codes = await Promise.all(
      Array.from({ length: 30 }, (_, index) =>
        gateAt(index, { limits })
          .enforce(by('flooding-bot', attemptAt(`refund ${index}`)))
          .then(ran, codeOf),
      ),
    )
    expect(count(codes)).toEqual({ 'approval-pending': 4, 'too-many-holds': 26 })
  })

  it('requests that are the same join one approval, and one of them runs (class 12)', async () => {
    const asked = Array.from({ length: 200 }, (_, index) =>
      gateAt(index)
        .enforce(by('repeating-bot', attemptAt('the same', { waitMs: 60_000 })))
        .then(ran, codeOf),
    )
    await expect.poll(waiting, soon).toBe(200)
    await approve(await onlyOpen('repeating-bot'))
    expect(count(await Promise.all(asked))).toEqual({ ran: 1, 'approval-used': 199 })
  })

  it('they cost the database a few transactions, and not some for each', async () => {
    let transactions = 0
    const counting = {
      ...replicas[0]!,
      store: {
        kind: store.kind,
        query: (...args) => store.query(...args),
        exchange: (...args) => store.exchange(...args),
        tx: (work) => {
          transactions++
          return store.tx(work)
        },
        listen: (...args) => store.listen(...args),
        notify: (...args) => store.notify(...args),
        end: () => store.end(),
      } satisfies Store,
    }
    const asked = Array.from({ length: 100 }, () =>
      new Gate(counting)
        .enforce(by('cheap-bot', attemptAt('the same', { waitMs: 60_000 })))
        .then(ran, codeOf),
    )
    await expect.poll(waiting, soon).toBe(100)
    await approve(await onlyOpen('cheap-bot'))
    expect(count(await Promise.all(asked))).toEqual({ ran: 1, 'approval-used': 99 })
    // One to ask, one to claim.
    expect(transactions).toBe(2)
  })

  it('one that may not use what was approved leaves it to the next one (class 16)', async () => {
    const expired = { kind: 'jwt', id: 'token', expiresAt: Date.now() - 1 } as const
    const gone = new AbortController()
    const asked: Promise<string>[] = []
    // One after the other: this is the order in which they try.
    for (const changes of [
      { credential: expired },
      { credential: expired },
      { caller: gone.signal },
      {},
      {},
    ]) {
      const attempt = attemptAt('the same', { waitMs: 60_000, ...changes })
      asked.push(gateAt(0).enforce(by('late-bot', attempt)).then(ran, codeOf))
      await expect.poll(waiting, soon).toBe(asked.length)
    }
    const approved = approve(await onlyOpen('late-bot'))
    gone.abort()
    await approved
    expect(count(await Promise.all(asked))).toEqual({
      unauthenticated: 2,
      'approval-pending': 1,
      ran: 1,
      'approval-used': 1,
    })
  })

  it.runIf(kind === 'postgres')(
    'a subject that waits for its turn keeps nobody else from the database (class 23)',
    async () => {
      const key = subjectKey(by('slow-bot', attemptAt('')).action.subject)
      const locked = Promise.withResolvers<void>()
      const unlock = Promise.withResolvers<void>()
      // Another replica is at it, and takes its time.
      const elsewhere = store.tx(async (tx) => {
        await lockSubject(tx, key)
        locked.resolve()
        await unlock.promise
      })
      await locked.promise
      const slow = Array.from({ length: 30 }, (_, index) =>
        gateAt(0)
          .enforce(by('slow-bot', attemptAt(`refund ${index}`)))
          .then(ran, codeOf),
      )
      const neighbour = gateAt(0).enforce(by('neighbour', attemptAt('mine')))
      await expect(neighbour).rejects.toMatchObject({ code: 'approval-pending' })
      unlock.resolve()
      await elsewhere
      expect(count(await Promise.all(slow))).toEqual({ 'approval-pending': 30 })
    },
  )
})
