import { beforeAll, describe, expect, it } from 'vitest'
import { getApproval } from '../../src/approvals/store.ts'
import { Problem } from '../../src/core/errors.ts'
import type { Person } from '../../src/core/person.ts'
import type { Attempt } from '../../src/gate/attempt.ts'
import type { GateContext } from '../../src/gate/context.ts'
import { Gate } from '../../src/gate/gate.ts'
import { castVote } from '../../src/gate/vote.ts'
import type { Store } from '../../src/store/db.ts'
import { openPostgres } from '../../src/store/postgres.ts'
import { CuttingRoad, type Moment } from '../support/cutting-road.ts'
import { attemptAt, openTestGate, person } from '../support/gate.ts'
import { atEnd, createTestDatabase, storeKinds } from '../support/store.ts'

const policies = `
rules:
  - name: refunds-need-leads
    on: crm
    what: { http: { path: /v1/refunds } }
    then: hold
    approval: { from: { group: leads } }
  - name: notes
    on: crm
    what: { http: { path: /v1/notes } }
    then: allow
`

const soon = { timeout: 60_000, interval: 20 }

/** Every message of what is to be cut, and some more: what else the gateway does meanwhile is cut, too. */
const moments = (['before', 'answer'] as const).flatMap((moment) =>
  [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12].map((nth): [Moment, number] => [moment, nth]),
)

describe.skipIf(!storeKinds.includes('postgres'))(
  'a database that vanishes in the middle (class 25; needs PostgreSQL: a connection to it can be cut)',
  () => {
    let road: CuttingRoad
    let store: Store
    let ctx: GateContext
    let dana: Person
    let count = 0

    beforeAll(async () => {
      const url = await createTestDatabase()
      road = await CuttingRoad.to(url)
      // What looks at it afterwards has a way of its own, which nothing happens to.
      store = await openPostgres(url)
      const cut = await openPostgres(road.url)
      atEnd(async () => {
        await cut.end()
        await store.end()
      })
      ctx = await openTestGate(cut, policies)
      dana = await person(store, 'dana', ['leads'])
    })

    /** What becomes of an attempt: the code of its problem, or `ran`. */
    async function outcomeOf(attempt: Attempt): Promise<string> {
      try {
        const permit = await new Gate(ctx).enforce(attempt)
        permit.redeem(permit.digest)
        await permit.complete({ result: 'succeeded', status: 201 })
        return 'ran'
      } catch (error) {
        if (error instanceof Problem) return error.code
        throw error
      }
    }

    /** Sent again by whoever was told that there is no store, as often as it takes. */
    async function insist(note: string): Promise<string> {
      for (;;) {
        const outcome = await outcomeOf(attemptAt(note))
        if (outcome !== 'store-unavailable') return outcome
      }
    }

    const approvalsOf = (note: string) =>
      store.query<{ id: string; state: string }>(
        `SELECT id, state FROM sallyport.approvals WHERE payload ->> 'note' = $1 ORDER BY id`,
        [note],
      )

    async function approve(id: string): Promise<void> {
      const { digest, viewHash } = (await getApproval(store, id))!
      const ballot = { approval: id, decision: 'approve', digest, viewHash } as const
      await expect
        .poll(async () => {
          const vote = { ...ballot, reason: null, scope: 'once', channel: 'api' } as const
          await castVote(ctx, dana, vote).catch((error: unknown) => {
            if (!(error instanceof Problem)) throw error
          })
          return (await getApproval(store, id))!.state
        }, soon)
        .toBe('approved')
    }

    it.each(moments)('of a hold (%s of message %i): people are asked once', async (moment, nth) => {
      const note = `refund ${++count}`
      road.cutAt(nth, moment)
      const first = await outcomeOf(attemptAt(note))
      expect(['approval-pending', 'store-unavailable']).toContain(first)
      expect(await insist(note)).toBe('approval-pending')
      expect(await approvalsOf(note)).toMatchObject([{ state: 'pending' }])
    })

    it.each(moments)(
      'of a claim (%s of message %i): it runs once, or never',
      async (moment, nth) => {
        const note = `refund ${++count}`
        expect(await insist(note)).toBe('approval-pending')
        const { id } = (await approvalsOf(note))[0]!
        await approve(id)

        road.cutAt(nth, moment)
        const outcomes = [await outcomeOf(attemptAt(note))]
        expect(['ran', 'store-unavailable']).toContain(outcomes[0])
        // Sent again it runs, if it has not; else people are asked anew, and told.
        outcomes.push(await insist(note))
        const ran = outcomes.filter((outcome) => outcome === 'ran').length
        expect(ran).toBeLessThanOrEqual(1)
        // Claimed by an answer that got lost, it was given up: nothing was sent, and that is on record.
        const ended = ran === 1 ? 'succeeded' : 'failed'
        await expect.poll(async () => (await getApproval(store, id))!.state, soon).toBe(ended)
        if (ran === 0) expect(outcomes[1]).toBe('approval-pending')
      },
    )

    it.each(moments)(
      'of a flush (%s of message %i): nothing runs that is not on record',
      async (moment, nth) => {
        const attempt = attemptAt(`note ${++count}`, { path: '/v1/notes' })
        road.cutAt(nth, moment)
        const outcome = await outcomeOf(attempt)
        expect(['ran', 'store-unavailable']).toContain(outcome)
        const types = async () => {
          const events = await store.query<{ type: string }>(
            'SELECT type FROM sallyport.audit_events WHERE action = $1 ORDER BY id',
            [attempt.action.id],
          )
          return events.map(({ type }) => type)
        }
        if (outcome === 'ran') {
          await expect.poll(types, soon).toEqual(['action.decided', 'action.completed'])
        }
      },
    )

    it('which has happened often enough', () => {
      expect(road.cuts).toBeGreaterThan(moments.length)
    })
  },
)
