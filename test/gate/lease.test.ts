import { beforeAll, describe, expect, it } from 'vitest'
import { getApproval } from '../../src/approvals/store.ts'
import type { Problem } from '../../src/core/errors.ts'
import type { Person } from '../../src/core/person.ts'
import { claim } from '../../src/gate/claim.ts'
import type { GateContext } from '../../src/gate/context.ts'
import { Gate } from '../../src/gate/gate.ts'
import { startHousekeeping } from '../../src/gate/housekeeping.ts'
import { castVote } from '../../src/gate/vote.ts'
import type { Store } from '../../src/store/db.ts'
import { attemptAt, openTestGate, person } from '../support/gate.ts'
import { openTestStore, storeKinds } from '../support/store.ts'
import { refundsNeed } from './policies.ts'

// What a process meets that was stopped for longer than its lease, and goes on where it was (`crash.test.ts` does it with signals).
describe.each(storeKinds)('a replica that has lost its lease, on the %s store', (kind) => {
  let store: Store
  let dana: Person
  let count = 0

  beforeAll(async () => {
    store = await openTestStore(kind)
    dana = await person(store, 'dana', ['leads'])
  })

  async function approved(ctx: GateContext) {
    const note = `refund ${++count}`
    const refused: unknown = await new Gate(ctx)
      .enforce(attemptAt(note))
      .catch((error: unknown) => error)
    const { id } = (refused as Problem).members['task'] as { id: string }
    const { digest, viewHash } = (await getApproval(store, id))!
    const ballot = { approval: id, decision: 'approve', digest, viewHash } as const
    await castVote(ctx, dana, { ...ballot, reason: null, scope: 'once', channel: 'api' })
    return { id, note }
  }

  const stateOf = async (id: string) => (await getApproval(store, id))!.state

  /** The same replica, with a monotonic clock that says this of its lease. */
  function holding(ctx: GateContext, held: () => boolean): GateContext {
    const { lease } = ctx
    const { replica, epoch } = lease
    const advance = (from: number) => lease.advance(from)
    return { ...ctx, lease: { replica, epoch, held, advance, close: () => lease.close() } }
  }

  /** In the eyes of everybody else. */
  async function takeForDead({ lease: { replica, epoch } }: GateContext): Promise<void> {
    await store.query(
      `UPDATE sallyport.replicas SET lease_until = clock_timestamp() - interval '1 hour'
        WHERE replica = $1 AND epoch = $2`,
      [replica, epoch],
    )
  }

  async function keepHouse(ctx: GateContext): Promise<void> {
    const housekeeping = startHousekeeping(ctx)
    await housekeeping.stop()
    await housekeeping.once()
  }

  it('claims nothing, and leaves the approval to whoever may', async () => {
    const ctx = await openTestGate(store, refundsNeed(1))
    const { id, note } = await approved(ctx)
    await expect(
      new Gate(holding(ctx, () => false)).enforce(attemptAt(note)),
    ).rejects.toMatchObject({
      code: 'store-unavailable',
    })
    expect(await stateOf(id)).toBe('approved')
    const permit = await new Gate(ctx).enforce(attemptAt(note))
    expect(permit.digest).toMatch(/^[0-9a-f]{64}$/)
  })

  it('claims nothing in an epoch whose record has been ended, although its own clock does not know', async () => {
    const [asleep, other] = [
      await openTestGate(store, refundsNeed(1)),
      await openTestGate(store, refundsNeed(1)),
    ]
    const { id, note } = await approved(asleep)
    await takeForDead(asleep)
    await keepHouse(other)
    expect(asleep.lease.held()).toBe(true)
    const attempt = attemptAt(note)
    const { digest } = await attempt.seal()
    await expect(claim(asleep, attempt, id, digest)).rejects.toMatchObject({
      code: 'store-unavailable',
    })
    expect(await stateOf(id)).toBe('approved')
    // What it puts on record shows that its epoch has ended: from then on it is in the next one, and may.
    const permit = await new Gate(asleep).enforce(attemptAt(note))
    expect(asleep.lease.epoch).toBe(2)
    permit.redeem(permit.digest)
  })

  it('finds its permit lapsed, and what it knows about the run is late evidence', async () => {
    const [asleep, other] = [
      await openTestGate(store, refundsNeed(1)),
      await openTestGate(store, refundsNeed(1)),
    ]
    const { id, note } = await approved(asleep)
    let held = true
    const permit = await new Gate(holding(asleep, () => held)).enforce(attemptAt(note))
    expect(await stateOf(id)).toBe('dispatching')

    await takeForDead(asleep)
    await keepHouse(other)
    expect(await stateOf(id)).toBe('unknown')
    held = false
    expect(() => permit.redeem(permit.digest)).toThrow('lost touch with the audit store')
    await permit.complete({ result: 'failed', error: 'store-unavailable' })
    expect(await stateOf(id)).toBe('failed')
  })

  it('leaves no run behind, not even one that it began while its record was being ended', async () => {
    const [asleep, other] = [
      await openTestGate(store, refundsNeed(1)),
      await openTestGate(store, refundsNeed(1)),
    ]
    const { id, note } = await approved(asleep)
    await new Gate(asleep).enforce(attemptAt(note))
    // Ended by somebody who did not see the run.
    const { replica, epoch } = asleep.lease
    await takeForDead(asleep)
    await other.audit.bury({ replica, epoch })
    expect(await stateOf(id)).toBe('dispatching')
    await keepHouse(other)
    expect(await stateOf(id)).toBe('unknown')
  })
})
