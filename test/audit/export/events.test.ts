import { beforeAll, describe, expect, test } from 'vitest'
import { readEvents } from '../../../src/audit/export/events.ts'
import type { Store } from '../../../src/store/db.ts'
import { anIntent, startReplica } from '../../support/audit.ts'
import { openTestStore, storeKinds } from '../../support/store.ts'

const earliest = '00000000-0000-7000-8000-000000000000'
const latest = 'ffffffff-ffff-7fff-bfff-ffffffffffff'

describe.each(storeKinds)('events by their ids, in the %s store', (kind) => {
  let store: Store
  let all: string[]

  beforeAll(async () => {
    store = await openTestStore(kind)
    const { audit } = await startReplica(store)
    await Promise.all(Array.from({ length: 60 }, () => audit.append(anIntent())))
    const rows = await store.query<{ id: string }>('SELECT id FROM sallyport.audit_events')
    all = rows.map(({ id }) => id).toSorted()
  })

  const found = async (ids: readonly string[]) => [...(await readEvents(store, ids)).keys()]

  test('are found where they are neighbours', async () => {
    expect((await found(all)).toSorted()).toEqual(all)
  })

  test('are found, and no others, where one is from long before', async () => {
    const ids = [all[0]!, ...all.slice(-3)]
    const events = await readEvents(store, ids)
    expect(ids.filter((id) => events.has(id))).toEqual(ids)
    expect(events.size).toBeLessThanOrEqual(2 * ids.length + 1)
  })

  test('are found where somebody put ids among them that no event has', async () => {
    const ids = [latest, all[1]!, '', earliest, all[30]!]
    const events = await readEvents(store, ids)
    expect(ids.filter((id) => events.has(id))).toEqual([all[1], all[30]])
    expect(await found(['', ''])).toEqual([])
    expect(await found([earliest, latest])).not.toContain(latest)
  })
})
