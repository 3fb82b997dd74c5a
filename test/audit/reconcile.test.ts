import { beforeEach, describe, expect, test } from 'vitest'
import { verifyStore } from '../../src/audit/verify.ts'
import type { Store } from '../../src/store/db.ts'
import { deadEpochs } from '../../src/store/lease.ts'
import { anIntent, startReplica, until, type TestReplica } from '../support/audit.ts'
import { openTestStore, storeKinds } from '../support/store.ts'

describe.each(storeKinds)('a replica that ended without a word, on the %s store', (kind) => {
  let store: Store
  let asleep: TestReplica
  let survivor: TestReplica

  beforeEach(async () => {
    store ??= await openTestStore(kind)
    asleep = await startReplica(store)
    survivor = await startReplica(store)
  })

  /** As if its process had been stopped for longer than its lease. */
  const runOut = async ({ lease: { replica, epoch } }: TestReplica) => {
    await store.query(
      `UPDATE sallyport.replicas SET lease_until = clock_timestamp() - interval '1 hour'
       WHERE replica = $1 AND epoch = $2`,
      [replica, epoch],
    )
    return { replica, epoch }
  }

  const outcomes = (actions: readonly string[]) =>
    store.query<{ action: string; outcome: string }>(
      `SELECT action, convert_from(body, 'UTF8')::jsonb #>> '{outcome,result}' AS outcome
       FROM sallyport.audit_events
       WHERE type = 'action.completed' AND action = ANY ($1::uuid[])`,
      [actions],
    )

  test('is among the dead only when its lease and the margin have passed', async () => {
    expect(await deadEpochs(store)).toEqual([])
    const dead = await runOut(asleep)
    expect(await deadEpochs(store)).toEqual([dead])
    await survivor.audit.bury(dead)
    expect(await deadEpochs(store)).toEqual([])
  })

  test('leaves the outcome unknown for what it let through, and only for that', async () => {
    const [allowed, finished, denied, dispatched] = [
      anIntent(),
      anIntent(),
      anIntent({ decision: 'deny' }),
      anIntent({ type: 'action.dispatched', decision: 'hold' }),
    ]
    for (const intent of [allowed, finished, denied]) await asleep.audit.append(intent)
    await store.tx((tx) => asleep.audit.write(tx, dispatched))
    const outcome = { result: 'succeeded', status: 200 } as const
    await asleep.audit.append({ type: 'action.completed', action: finished.action, outcome })

    const lost = await survivor.audit.bury(await runOut(asleep))
    const expected = [allowed.action!.id, dispatched.action!.id]
    expect(lost.toSorted()).toEqual(expected.toSorted())
    const all = [allowed, finished, denied, dispatched].map(({ action }) => action!.id)
    expect(await outcomes(all)).toHaveLength(3)
    expect(await outcomes(lost)).toEqual([
      expect.objectContaining({ outcome: 'unknown' }),
      expect.objectContaining({ outcome: 'unknown' }),
    ])
    // Also what it had written and not linked is in a chain in the end.
    await until(
      async () => (await store.query('SELECT FROM sallyport.audit_unlinked')).length === 0,
    )
    expect(await verifyStore(store)).toMatchObject({ ok: true })
  })

  test('leaves the outcome unknown for what it was to deny or hold, and let through because it only observed', async () => {
    const observed = [
      anIntent({ decision: 'deny', enforced: false }),
      anIntent({ decision: 'hold', enforced: false }),
    ]
    const finished = anIntent({ decision: 'deny', enforced: false })
    const held = anIntent({ decision: 'hold' })
    // Only looks like it: what a rule calls itself is no mark.
    const named = anIntent({ decision: 'deny', reason: '"enforced":false' })
    for (const intent of [...observed, finished, held, named]) await asleep.audit.append(intent)
    const outcome = { result: 'succeeded', status: 200 } as const
    await asleep.audit.append({ type: 'action.completed', action: finished.action, outcome })

    const lost = await survivor.audit.bury(await runOut(asleep))
    expect(lost.toSorted()).toEqual(observed.map(({ action }) => action!.id).toSorted())
    expect(await outcomes(lost)).toEqual([
      expect.objectContaining({ outcome: 'unknown' }),
      expect.objectContaining({ outcome: 'unknown' }),
    ])
  })

  test('is buried once, when several do it at once', async () => {
    const intents = Array.from({ length: 30 }, () => anIntent())
    await Promise.all(intents.map((intent) => asleep.audit.append(intent)))
    const third = await startReplica(store)
    const dead = await runOut(asleep)
    await Promise.all([survivor, third, survivor, third].map((replica) => replica.audit.bury(dead)))
    await survivor.audit.bury(dead)
    expect(await outcomes(intents.map(({ action }) => action!.id))).toHaveLength(30)
    expect(await deadEpochs(store)).toEqual([])
    expect(await verifyStore(store)).toMatchObject({ ok: true })
  })

  test('finds its chain ended when it wakes up, and starts another one', async () => {
    await asleep.audit.append(anIntent())
    await survivor.audit.bury(await runOut(asleep))
    expect(asleep.lease.epoch).toBe(1)

    const late = anIntent()
    await asleep.audit.append(late)
    expect(asleep.lease.epoch).toBe(2)
    expect(asleep.lease.held(1)).toBe(false)
    expect(asleep.lease.held(2)).toBe(true)
    const [place] = await store.query<{ epoch: number; n: number }>(
      'SELECT epoch, n FROM sallyport.audit_log WHERE action = $1',
      [late.action!.id],
    )
    expect(place).toEqual({ epoch: 2, n: 1 })
    expect(await verifyStore(store)).toMatchObject({ ok: true })
  })
})
