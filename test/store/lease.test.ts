import { beforeAll, describe, expect, test, vi } from 'vitest'
import type { Store } from '../../src/store/db.ts'
import { deadEpochs, leaseTimes, openLease } from '../../src/store/lease.ts'
import { until } from '../support/audit.ts'
import { atEnd, openTestStore, storeKinds } from '../support/store.ts'

describe.each(storeKinds)('a lease on the %s store', (kind) => {
  let store: Store

  beforeAll(async () => {
    store = await openTestStore(kind)
  })

  const open = async () => {
    const lease = await openLease(store)
    atEnd(() => lease.close())
    return lease
  }

  /** A lease of the usual length, and what its timer does, so that nobody has to wait for it. */
  async function openWithTimer() {
    const timers = vi.spyOn(globalThis, 'setTimeout')
    const lease = await open()
    const [renew] = timers.mock.calls.findLast(([, ms]) => ms === leaseTimes.leaseMs / 3)!
    timers.mockRestore()
    return { lease, renew }
  }

  test('is held, by a replica of its own for each process', async () => {
    const [one, two] = [await open(), await open()]
    expect(one.replica).not.toBe(two.replica)
    expect([one.epoch, one.held(), one.held(1), one.held(2)]).toEqual([1, true, true, false])
  })

  test('is renewed for as long as the replica lives', async () => {
    const { lease, renew } = await openWithTimer()
    const end = async () => {
      const [row] = await store.query<{ end: Date }>(
        'SELECT lease_until AS end FROM sallyport.replicas WHERE replica = $1',
        [lease.replica],
      )
      return row!.end.getTime()
    }
    const first = await end()
    renew()
    await until(async () => (await end()) > first)
    expect(lease.held(1)).toBe(true)
  })

  test('that has run out is never renewed: another epoch begins, and the old one is dead for everybody', async () => {
    const { lease, renew } = await openWithTimer()
    await store.query(
      `UPDATE sallyport.replicas SET lease_until = clock_timestamp() - interval '1 second'
       WHERE replica = $1`,
      [lease.replica],
    )
    renew()
    await until(async () => lease.epoch === 2)
    expect(lease.held(1)).toBe(false)
    expect(lease.held()).toBe(true)
    expect(await deadEpochs(store, { leaseMs: 0, marginMs: 0 })).toEqual([
      { replica: lease.replica, epoch: 1 },
    ])
  })

  test('that was given back is not held, and not dead', async () => {
    const lease = await openLease(store)
    await lease.close()
    expect(lease.held()).toBe(false)
    expect(await deadEpochs(store)).not.toContainEqual({ replica: lease.replica, epoch: 1 })
  })

  test('advances once, whoever asks for it and how often', async () => {
    const lease = await open()
    await Promise.all([lease.advance(1), lease.advance(1), lease.advance(0)])
    expect(lease.epoch).toBe(2)
    await lease.advance(1)
    expect(lease.epoch).toBe(2)
  })
})

describe.runIf(storeKinds.includes('postgres'))('a lease without its store', () => {
  test('ends by itself', async () => {
    const store = await openTestStore('postgres')
    const lease = await openLease(store, { leaseMs: 2_000, marginMs: 100 })
    expect(lease.held()).toBe(true)
    await store.end()
    await until(async () => !lease.held())
  })
})
