import { beforeAll, describe, expect, test } from 'vitest'
import { takeTurn } from '../../src/audit/log/sequence.ts'
import type { AuditLog } from '../../src/audit/append.ts'
import type { Store } from '../../src/store/db.ts'
import { countNext } from '../../src/usage/project.ts'
import { firstUsesBetween, stepFor, usageOf, type UsageFilter } from '../../src/usage/report.ts'
import { agent, startReplica } from '../support/audit.ts'
import { openTestStore, storeKinds } from '../support/store.ts'
import { act, countAll, customers } from './support.ts'

const hour = 3_600_000
const range = { from: new Date(Date.now() - hour), to: new Date(Date.now() + hour) }

/** Summed over time. */
async function totals(store: Store, filter: Omit<UsageFilter, 'from' | 'to'>) {
  const { usage } = await usageOf(store, { ...range, ...filter })
  const sums = new Map<string | null, number[]>()
  for (const { name, actions, denied, held, runs, rows, bytes } of usage) {
    const before = sums.get(name) ?? [0, 0, 0, 0, 0, 0]
    sums.set(
      name,
      [actions, denied, held, runs, rows, bytes].map((value, i) => before[i]! + value),
    )
  }
  return Object.fromEntries(sums)
}

describe.each(storeKinds)('usage, counted behind the log of the %s store', (kind) => {
  let store: Store
  let audit: AuditLog

  beforeAll(async () => {
    store = await openTestStore(kind)
    audit = (await startReplica(store)).audit
    for (let i = 0; i < 3; i += 1) {
      await act(audit, { outcome: { result: 'succeeded', status: 200, bytes: 100 } })
    }
    await act(audit, {
      on: 'orders-db',
      outcome: { result: 'succeeded', rows: 50, bytes: 4_000 },
      usage: {
        datasets: ['customers', 'orders'],
        classes: ['financial', 'pii'],
        tables: ['public.customers', 'public.orders'],
        columns: [],
      },
    })
    const deny = { decision: 'deny', reason: 'no-rule-matched' } as const
    await act(audit, { by: 'agent-8', outcome: null, intent: deny, usage: customers })
    await act(audit, {
      by: 'agent-8',
      outcome: { result: 'failed', status: 404, bytes: 20 },
      intent: { decision: 'hold' },
      usage: customers,
    })
    // Observed: it ran as if it were allowed.
    const observed = { decision: 'deny', enforced: false } as const
    await act(audit, {
      by: 'agent-8',
      outcome: { result: 'succeeded', bytes: 7 },
      intent: observed,
    })
    const use = { model: 'gpt-x', tokens_in: 900, tokens_out: 100, tokens_cached: 300 }
    await act(audit, { on: 'llm', outcome: { result: 'succeeded', bytes: 70 }, usage: use })
    // Under a grant an action is not decided, but sent.
    await act(audit, {
      by: 'agent-9',
      outcome: { result: 'succeeded', rows: 1 },
      intent: { type: 'action.dispatched', decision: 'hold', approval: crypto.randomUUID() },
    })
    // No action of anybody's.
    await audit.append({ type: 'identity.login', subject: { ...agent, subject: 'dana' } })
    await countAll(store)
  })

  test('by subject: actions, denied, held, runs, rows, bytes', async () => {
    expect(await totals(store, { by: 'subject' })).toEqual({
      'agent-7': [5, 0, 0, 5, 50, 4_370],
      'agent-8': [3, 1, 1, 2, 0, 27],
      'agent-9': [1, 0, 0, 1, 1, 0],
    })
  })

  test('by resource, and by resource of one subject', async () => {
    expect(await totals(store, { by: 'resource' })).toEqual({
      crm: [7, 1, 1, 6, 1, 327],
      llm: [1, 0, 0, 1, 0, 70],
      'orders-db': [1, 0, 0, 1, 50, 4_000],
    })
    expect(await totals(store, { by: 'subject', resource: 'orders-db' })).toEqual({
      'agent-7': [1, 0, 0, 1, 50, 4_000],
    })
  })

  test('by data set and class: under each that was touched', async () => {
    expect(await totals(store, { by: 'dataset' })).toEqual({
      customers: [3, 1, 1, 2, 50, 4_020],
      orders: [1, 0, 0, 1, 50, 4_000],
    })
    expect(await totals(store, { by: 'class', subject: 'agent-7' })).toEqual({
      financial: [1, 0, 0, 1, 50, 4_000],
      pii: [1, 0, 0, 1, 50, 4_000],
    })
    expect(await totals(store, { by: 'subject', dataset: 'customers' })).toEqual({
      'agent-7': [1, 0, 0, 1, 50, 4_000],
      'agent-8': [2, 1, 1, 1, 0, 20],
    })
    expect(await totals(store, { by: 'subject', class: 'financial' })).toEqual({
      'agent-7': [1, 0, 0, 1, 50, 4_000],
    })
  })

  test('by model: what ran, with its tokens', async () => {
    expect(await totals(store, { by: 'model' })).toEqual({ 'gpt-x': [1, 0, 0, 1, 0, 70] })
    const { usage } = await usageOf(store, { ...range, by: 'subject', model: 'gpt-x' })
    expect(usage).toMatchObject([
      { name: 'agent-7', tokens_in: 900, tokens_out: 100, tokens_cached: 300 },
    ])
  })

  test('it says up to when, and the stretches begin at whole ones, in UTC', async () => {
    const { step, countedUntil, usage } = await usageOf(store, { ...range, by: 'resource' })
    expect(step).toBe(3_600)
    expect(Date.now() - countedUntil!.getTime()).toBeLessThan(60_000)
    for (const { at } of usage) expect(at.getTime() % (step * 1_000)).toBe(0)
  })

  test('first uses: what ran and did not fail, once', async () => {
    const uses = await firstUsesBetween(store, range)
    expect(uses.map(({ subject, resource, item }) => `${subject} ${resource} ${item}`)).toEqual([
      'agent-7 orders-db class financial',
      'agent-7 orders-db class pii',
      'agent-7 orders-db dataset customers',
      'agent-7 orders-db dataset orders',
      'agent-7 orders-db table public.customers',
      'agent-7 orders-db table public.orders',
    ])
    await act(audit, { on: 'orders-db', usage: customers })
    await countAll(store)
    expect(await firstUsesBetween(store, range)).toEqual(uses)
  })

  test('nothing is lost or counted twice: by two at a time, in pieces, and all anew', async () => {
    const pieces = async () => {
      await Promise.all([takeTurn(store, 0), countNext(store), countNext(store)])
    }
    for (let i = 0; i < 30; i += 1) {
      await act(audit, { by: 'busy', outcome: { result: 'succeeded', rows: i }, usage: customers })
      if (i % 3 === 0) await pieces()
    }
    await countAll(store)
    await countAll(store)
    expect(await totals(store, { by: 'subject', subject: 'busy' })).toEqual({
      busy: [30, 0, 0, 30, 435, 0],
    })
  })

  test('many names: those with the most actions have their own, the others are one', async () => {
    for (let i = 0; i < 14; i += 1) await act(audit, { by: `one-of-many-${i}`, outcome: null })
    await countAll(store)
    const sums = await totals(store, { by: 'subject' })
    expect(Object.keys(sums)).toHaveLength(13)
    expect(sums['null']![0]).toBe(6)
  })

  test('a name as long as anybody likes, and one with quotes, are counted', async () => {
    const names = ['x'.repeat(100_000), `'";--\u202e${'\\'.repeat(9)}`]
    for (const by of names) await act(audit, { by, usage: customers })
    await countAll(store)
    for (const subject of names) {
      const { usage } = await usageOf(store, { ...range, by: 'resource', subject })
      expect(usage).toMatchObject([{ name: 'crm', runs: 1 }])
    }
  })
})

test.each<[number, number]>([
  [1, 3_600],
  [24, 3_600],
  [24 * 7, 21_600],
  [24 * 31, 86_400],
  [24 * 366, 604_800],
])('%i hours are counted by stretches of %i seconds', (hours, step) => {
  expect(stepFor(new Date(0), new Date(hours * hour))).toBe(step)
})
