import { beforeAll, describe, expect, test } from 'vitest'
import { readDecisions } from '../../../src/audit/decisions.ts'
import { exportNdjson, openExport } from '../../../src/audit/export/ndjson.ts'
import { readPages } from '../../../src/audit/export/rows.ts'
import { searchEvents } from '../../../src/audit/search.ts'
import { verifyExport } from '../../../src/audit/verify.ts'
import type { Store } from '../../../src/store/db.ts'
import { anIntent, startReplica } from '../../support/audit.ts'
import { openTestStore, storeKinds } from '../../support/store.ts'

const mebibyte = 1024 ** 2

/** Class 23: agents choose how long their events are, and nobody's memory depends on it. */
describe.each(storeKinds)('events of a megabyte each, in the %s store', (kind) => {
  let store: Store
  const long = 10
  const all = 3 * long

  beforeAll(async () => {
    store = await openTestStore(kind)
    const { audit } = await startReplica(store)
    for (let i = 0; i < long; i++) {
      const query = `${i}`.padEnd(mebibyte, 'select ')
      const inputs = [anIntent(), anIntent({ attributes: { sql: { query } } }), anIntent()]
      await Promise.all(inputs.map((input) => audit.append(input)))
    }
  })

  test('are exported some at a time, and all of them', async () => {
    const part = await openExport(store)
    const pages: number[] = []
    const indexes: number[] = []
    for await (const page of readPages(store, part)) {
      pages.push(page.reduce((sum, { personal }) => sum + personal!.length, 0))
      indexes.push(...page.map(({ index }) => index!))
    }
    expect(Math.max(...pages)).toBeLessThan(5 * mebibyte)
    expect(indexes).toEqual(Array.from({ length: all }, (_, index) => index))
    expect(await verifyExport(exportNdjson(store, part))).toMatchObject({ ok: true, lines: all })
  })

  test('are found some at a time, and all of them', async () => {
    const found: string[] = []
    let cursor: string | null = null
    let pages = 0
    do {
      const page = await searchEvents(store, { resource: 'crm' }, cursor)
      expect(JSON.stringify(page).length).toBeLessThan(10 * mebibyte)
      found.push(...page.events.map(({ id }) => id))
      cursor = page.cursor
      pages++
    } while (cursor !== null)
    expect(pages).toBeGreaterThan(1)
    expect([new Set(found).size, found.length]).toEqual([all, all])
  })

  test('are decided anew some at a time, and all of them', async () => {
    const [from, to] = [new Date(0), new Date(Date.now() + 60_000)]
    let decisions = 0
    for await (const page of readDecisions(store, { from, to })) {
      expect(JSON.stringify(page).length).toBeLessThan(10 * mebibyte)
      decisions += page.length
    }
    expect(decisions).toBe(all)
  })
})
