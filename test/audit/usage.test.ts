import { beforeAll, describe, expect, test } from 'vitest'
import { stepFor, usageOf, type UsageFilter } from '../../src/audit/usage.ts'
import type { EventInput } from '../../src/core/event.ts'
import type { Store } from '../../src/store/db.ts'
import { agent, anIntent, startReplica } from '../support/audit.ts'
import { openTestStore, storeKinds } from '../support/store.ts'

const hour = 3_600_000
const range = { from: new Date(Date.now() - hour), to: new Date(Date.now() + hour) }

describe.each(storeKinds)('usage, from the log of the %s store', (kind) => {
  let store: Store

  beforeAll(async () => {
    store = await openTestStore(kind)
    const { audit } = await startReplica(store)
    /** One action, and what the upstream answered, if it ran. */
    const act = async (
      name: string,
      resource: string,
      outcome: EventInput['outcome'] | null,
      changes: Partial<EventInput> = {},
    ) => {
      const intent = anIntent({ subject: { ...agent, subject: name }, resource, ...changes })
      await audit.append(intent)
      if (!outcome) return
      await audit.append({
        type: 'action.completed',
        action: intent.action!,
        resource,
        outcome,
      })
    }
    for (let i = 0; i < 3; i += 1) {
      await act('agent-7', 'crm', { result: 'succeeded', status: 200, bytes: 100 })
    }
    await act('agent-7', 'orders-db', { result: 'succeeded', rows: 50, bytes: 4_000 })
    await act('agent-8', 'crm', null, { decision: 'deny', reason: 'no-rule-matched' })
    await act('agent-8', 'crm', { result: 'failed', status: 404, bytes: 20 }, { decision: 'hold' })
    // Observed: it ran as if it were allowed.
    await act(
      'agent-8',
      'crm',
      { result: 'succeeded', bytes: 7 },
      {
        decision: 'deny',
        enforced: false,
      },
    )
    // No action of anybody's.
    await audit.append({ type: 'identity.login', subject: { ...agent, subject: 'dana' } })
  })

  /** Summed over time. */
  async function totals(filter: Omit<UsageFilter, 'from' | 'to'>) {
    const { usage } = await usageOf(store, { ...range, ...filter })
    const sums = new Map<string | null, number[]>()
    for (const { name, actions, denied, held, rows, bytes } of usage) {
      const before = sums.get(name) ?? [0, 0, 0, 0, 0]
      sums.set(
        name,
        [actions, denied, held, rows, bytes].map((value, i) => before[i]! + value),
      )
    }
    return Object.fromEntries(sums)
  }

  test('by subject: actions, denied, held, rows, bytes', async () => {
    expect(await totals({ by: 'subject' })).toEqual({
      'agent-7': [4, 0, 0, 50, 4_300],
      'agent-8': [3, 1, 1, 0, 27],
    })
  })

  test('by resource, and by resource of one subject', async () => {
    expect(await totals({ by: 'resource' })).toEqual({
      crm: [6, 1, 1, 0, 327],
      'orders-db': [1, 0, 0, 50, 4_000],
    })
    expect(await totals({ by: 'resource', subject: 'agent-7' })).toEqual({
      crm: [3, 0, 0, 0, 300],
      'orders-db': [1, 0, 0, 50, 4_000],
    })
    expect(await totals({ by: 'subject', resource: 'orders-db' })).toEqual({
      'agent-7': [1, 0, 0, 50, 4_000],
    })
  })

  test('nothing is nothing', async () => {
    const empty = await usageOf(store, { by: 'subject', from: new Date(0), to: new Date(hour) })
    expect(empty).toEqual({ step: 60, countedFrom: null, usage: [] })
  })

  test('more than the limit: the newest are counted, and it says since when', async () => {
    const { countedFrom, usage } = await usageOf(store, { ...range, by: 'subject' }, 2)
    expect(usage.map(({ name, actions }) => [name, actions])).toEqual([['agent-8', 2]])
    expect(countedFrom).toBeInstanceOf(Date)
  })

  test('stretches begin at whole ones, in UTC', async () => {
    const { step, usage } = await usageOf(store, { ...range, by: 'resource' })
    expect(step).toBe(300)
    for (const { at } of usage) expect(at.getTime() % (step * 1_000)).toBe(0)
  })

  test('many names: those with the most actions have their own, the others are one', async () => {
    const { audit } = await startReplica(store)
    for (let i = 0; i < 14; i += 1) {
      await audit.append(anIntent({ subject: { ...agent, subject: `one-of-many-${i}` } }))
    }
    const sums = await totals({ by: 'subject' })
    expect(Object.keys(sums)).toHaveLength(13)
    expect(sums['null']).toEqual([4, 0, 0, 0, 0])
    expect(sums['agent-7']).toEqual([4, 0, 0, 50, 4_300])
  })
})

test.each<[number, number]>([
  [1, 60],
  [24, 900],
  [24 * 7, 21_600],
  [24 * 31, 86_400],
  [24 * 366, 604_800],
])('%i hours are counted by stretches of %i seconds', (hours, step) => {
  expect(stepFor(new Date(0), new Date(hours * hour))).toBe(step)
})
