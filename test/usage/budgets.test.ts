import { beforeAll, describe, expect, test } from 'vitest'
import type { AuditLog } from '../../src/audit/append.ts'
import { takeTurn } from '../../src/audit/log/sequence.ts'
import { Unknown, type Action } from '../../src/core/action.ts'
import type { Outcome } from '../../src/core/event.ts'
import type { UsageFact } from '../../src/core/usage-fact.ts'
import { StoreError, type Store } from '../../src/store/db.ts'
import { DataUsage } from '../../src/usage/data-usage.ts'
import { countNext } from '../../src/usage/project.ts'
import { agent, quiet, startReplica } from '../support/audit.ts'
import { openTestStore, storeKinds } from '../support/store.ts'
import { act, countAll, customers } from './support.ts'

const datasets = [
  {
    name: 'customers',
    classes: ['pii'],
    tables: [{ on: 'orders-db', table: 'public.customers' }],
    routes: [],
  },
]

const about = (measure: UsageFact['measure'], hours = 24): UsageFact => ({
  ...{ measure, kind: 'dataset', name: 'customers' },
  hours: measure === 'first' ? 0 : hours,
})
const rows = about('rows')
const all = [rows, about('actions'), about('bytes'), about('tokens'), about('first')]

const selecting = (by: string, tables = ['public.customers']): Action => ({
  id: crypto.randomUUID(),
  name: 'sql.statement',
  subject: { ...agent, subject: by },
  resource: 'orders-db',
  effect: 'read',
  attributes: { sql: { tables, columns: [] } },
  summary: 'select',
  agentReason: null,
  trace: null,
})

describe.each(storeKinds)('what subjects did, before an action, on the %s store', (kind) => {
  let store: Store
  let audit: AuditLog
  let usage: DataUsage

  beforeAll(async () => {
    store = await openTestStore(kind)
    audit = (await startReplica(store)).audit
    usage = new DataUsage(store, datasets, quiet)
  })

  const ran = (by: string, rows: number) =>
    act(audit, {
      ...{ by, on: 'orders-db' },
      outcome: { result: 'succeeded', rows, bytes: 10 },
      usage: { ...customers, tables: ['public.customers'], tokens_in: 3, tokens_out: 2 },
    })
  const now = async (by: string, facts: readonly UsageFact[] = [rows]) =>
    (await usage.within(store, selecting(by), facts))()

  test('the same, whether it is counted, in the log, in a chain, or in none yet', async () => {
    const five = async () => expect(await now('everywhere')).toEqual({ 'rows customers 24h': 5 })
    await ran('everywhere', 5)
    await five()
    await takeTurn(store, 0)
    await five()
    await countNext(store)
    await five()
    const intent = await act(audit, { by: 'everywhere', outcome: null, usage: customers })
    await store.tx(async (tx) => {
      const action = { id: intent, name: 'http.request' }
      const outcome = { result: 'succeeded', rows: 4 } as const
      const event = { type: 'action.completed', action, outcome, usage: customers } as const
      await audit.write(tx, event)
    })
    expect(await now('everywhere')).toEqual({ 'rows customers 24h': 9 })
    audit.linkWritten()
  })

  test('everything that can be asked for, of this subject and this data alone', async () => {
    await ran('one', 5)
    await countAll(store)
    await ran('one', 6)
    await ran('another', 100)
    await act(audit, { by: 'one', outcome: { result: 'succeeded', rows: 1_000 } })
    expect(await now('one', all)).toEqual({
      'rows customers 24h': 11,
      'actions customers 24h': 2,
      'bytes customers 24h': 20,
      'tokens customers 24h': 10,
      'first customers': false,
    })
    const pii: UsageFact = { measure: 'rows', kind: 'class', name: 'pii', hours: 1 }
    expect(await now('one', [pii])).toEqual({ 'rows class:pii 1h': 11 })
    expect(await now('nobody', all)).toMatchObject({
      'rows customers 24h': 0,
      'first customers': true,
    })
  })

  test('what is under way here counts from its permit on, and once', async () => {
    const action = usage.describe(selecting('busy'))
    const running = usage.begin(action)!
    const asked = [about('actions'), rows, about('first')]
    const counts = async () => Object.values((await usage.before(action, asked))())
    expect(await counts()).toEqual([1, 0, false])
    running.ended({ result: 'succeeded', rows: 7 })
    expect(await counts()).toEqual([1, 7, false])
    await act(audit, {
      by: 'busy',
      outcome: { result: 'succeeded', rows: 7 },
      usage: customers,
      intent: { action: { id: action.id, name: 'sql.statement' } },
    })
    running.recorded()
    expect(await counts()).toEqual([1, 7, false])
    expect(Object.values(await now('busy', asked))).toEqual([1, 7, false])
  })

  test('a hundred at a time look once, and each adds what was begun', async () => {
    const action = usage.describe(selecting('many'))
    let looks = 0
    const query: Store['query'] = (...asked) => {
      looks++
      return store.query(...asked)
    }
    const busy = new DataUsage({ query, exchange: (all) => store.exchange(all) }, datasets, quiet)
    const counts: unknown[] = []
    for (let i = 0; i < 100; i += 1) {
      counts.push(Object.values((await busy.before(action, [about('actions')]))())[0])
      busy.begin({ ...action, id: crypto.randomUUID() })
    }
    expect(counts).toEqual([...Array(100).keys()])
    expect(looks).toBeLessThan(100)
  })

  test('what cannot be counted is unknown: no answer, or too much that is not counted yet', async () => {
    const away = async () => {
      throw new StoreError('unavailable', 'no answer')
    }
    const broken = new DataUsage({ query: away, exchange: away }, datasets, quiet)
    const facts = (await broken.before(selecting('x'), [rows]))()
    expect(facts['rows customers 24h']).toBeInstanceOf(Unknown)
    await expect(
      broken.within({ query: away, exchange: away }, selecting('x'), [rows]),
    ).rejects.toBeInstanceOf(StoreError)

    await store.tx(async (tx) => {
      const [was] = await tx.query<{ next: number }>('SELECT next FROM sallyport.usage_progress')
      await tx.query('UPDATE sallyport.usage_progress SET next = -30000')
      const behind = (await usage.within(tx, selecting('x'), [rows]))()
      expect(behind['rows customers 24h']).toBeInstanceOf(Unknown)
      await tx.query('UPDATE sallyport.usage_progress SET next = $1', [was!.next])
    })
  })

  test('first uses are told by table and data set, and are none after a run', async () => {
    const first = (by: string, tables?: string[]) =>
      usage.firstUses(store, usage.describe(selecting(by, tables)))
    expect(await first('new')).toEqual(['dataset customers', 'table public.customers'])
    await act(audit, {
      by: 'new',
      on: 'orders-db',
      outcome: { result: 'failed' },
      usage: customers,
    })
    expect(await first('new')).toHaveLength(2)
    await ran('new', 1)
    expect(await first('new')).toEqual([])
    expect(await first('new', ['public.customers', 'public.orders'])).toEqual([
      'table public.orders',
    ])
    await countAll(store)
    expect(await first('new')).toEqual([])
  })

  test.each<[string, Outcome, boolean]>([
    ['left before its last byte', { result: 'failed', status: 200, bytes: 9 }, false],
    ['that broke off after some rows', { result: 'failed', rows: 9 }, false],
    ['that said no', { result: 'failed', status: 404, bytes: 9 }, true],
    ['that brought nothing', { result: 'failed', status: 200, bytes: 0 }, true],
  ])('whether the next use is the first after an answer %s', async (how, outcome, isFirst) => {
    const asked = [about('first')]
    const expected = { 'first customers': isFirst }
    const counts = async () => (await usage.before(selecting(how), asked))()
    const action = usage.describe(selecting(how))
    const running = usage.begin(action)!
    running.ended(outcome)
    expect(await counts()).toEqual(expected)
    const intent = { action: { id: action.id, name: 'sql.statement' } }
    await act(audit, { by: how, on: 'orders-db', outcome, usage: customers, intent })
    running.recorded()
    expect(await now(how, asked)).toEqual(expected)
    await countAll(store)
    expect(await now(how, asked)).toEqual(expected)
    const another = new DataUsage(store, datasets, quiet)
    expect((await another.before(selecting(how), asked))()).toEqual(expected)
  })
})
