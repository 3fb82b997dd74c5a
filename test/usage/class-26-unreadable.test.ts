import { beforeAll, describe, expect, test } from 'vitest'
import type { AuditLog } from '../../src/audit/append.ts'
import { takeTurn } from '../../src/audit/log/sequence.ts'
import { searchEvents } from '../../src/audit/search.ts'
import { buildWords } from '../../src/audit/search/build-words.ts'
import { Unknown, type Action } from '../../src/core/action.ts'
import type { UsageFact } from '../../src/core/usage-fact.ts'
import type { Store } from '../../src/store/db.ts'
import { DataUsage } from '../../src/usage/data-usage.ts'
import { countNext } from '../../src/usage/project.ts'
import { usageOf } from '../../src/usage/report.ts'
import { agent, quiet, startReplica } from '../support/audit.ts'
import { openOwnedStore } from '../support/owned-store.ts'
import { storeKinds } from '../support/store.ts'
import { act, customers } from './support.ts'

const deep = `{"usage":{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}}`
/** What is put in the place of what came of an action, by the one who did it. */
const some: Readonly<Record<string, Buffer | string>> = {
  empty: '',
  words: 'garbage',
  'no-text': Buffer.from([0x7b, 0xff, 0xfe, 0x7d]),
  'no-text-within': Buffer.from('{"outcome":{"result":"\xff"},"usage":{}}', 'latin1'),
  half: '{"outcome":{"result":"succeeded","rows":5},"usage":{"datasets":["customers"]',
  surrogate: '{"outcome":{"result":"succeeded"},"usage":{"datasets":["\\ud800"]}}',
  nul: '{"outcome":{"result":"succeeded"},"usage":{"datasets":["\\u0000"]}}',
  scalar: '{"outcome":{"result":"succeeded"},"usage":{"datasets":"customers"}}',
  'no-number': '{"outcome":{"result":"succeeded","rows":"many"},"usage":{}}',
  endless: '{"outcome":{"result":"succeeded","rows":1e400000},"usage":{}}',
}

const noTriggers = `
  DO $$ DECLARE t regclass; BEGIN
    FOR t IN SELECT 'sallyport.audit_events'::regclass UNION SELECT inhrelid FROM pg_inherits WHERE inhparent = 'sallyport.audit_events'::regclass LOOP
      EXECUTE format('ALTER TABLE %s DISABLE TRIGGER USER', t);
    END LOOP;
  END $$`

const about = (measure: UsageFact['measure'], hours = 24): UsageFact => ({
  ...{ measure, kind: 'dataset', name: 'customers' },
  hours: measure === 'first' ? 0 : hours,
})
const asked = [about('rows'), about('actions', 1), about('first')]

const selecting = (by: string): Action => ({
  id: crypto.randomUUID(),
  name: 'sql.statement',
  subject: { ...agent, subject: by },
  resource: 'crm',
  effect: 'read',
  attributes: {},
  summary: 'select',
  agentReason: null,
  trace: null,
})

describe.each(storeKinds)(
  'attack class 26: events that nobody can read, in the %s store',
  (kind) => {
    // The embedded database knows no end of its stack.
    const garbage = kind === 'embedded' ? some : { ...some, deep }
    const names = Object.keys(garbage)
    let store: Store
    let audit: AuditLog
    let usage: DataUsage
    const changed = new Map<string, string>()

    const ran = (by: string) =>
      act(audit, { by, outcome: { result: 'succeeded', rows: 5 }, usage: customers })
    const factsOf = async (by: string) =>
      Object.values((await usage.within(store, selecting(by), asked))()).map((value) =>
        value instanceof Unknown ? 'unknown' : value,
      )
    const firstUses = (by: string) => {
      const data = { ...customers, columns: [] }
      return store.tx((tx) => usage.firstUses(tx, { ...selecting(by), data }))
    }

    beforeAll(async () => {
      const { store: opened, asOwner } = await openOwnedStore(kind)
      store = opened
      audit = (await startReplica(store)).audit
      usage = new DataUsage(store, [], quiet)
      const actions = new Map<string, string>()
      for (const name of names) {
        await ran('honest')
        actions.set(name, await ran(name))
        await ran(name)
      }
      await ran('honest')
      await asOwner(noTriggers)
      for (const [name, action] of actions) {
        const where = `WHERE action = '${action}' AND type = 'action.completed'`
        await asOwner(
          `UPDATE sallyport.audit_events SET body = '\\x${Buffer.from(garbage[name]!).toString('hex')}' ${where}`,
        )
        const [event] = await store.query<{ id: string }>(
          `SELECT id FROM sallyport.audit_events ${where}`,
        )
        changed.set(event!.id, name)
      }
    })

    const honest = 5 * (names.length + 1)
    const everybody = async () => {
      expect(await factsOf('honest')).toEqual([honest, names.length + 1, false])
      expect(await firstUses('honest')).toEqual([])
      for (const name of names) {
        expect([name, ...(await factsOf(name))]).toEqual([name, 'unknown', 'unknown', 'unknown'])
        expect([name, await firstUses(name)]).toEqual([name, null])
      }
    }

    test('in a chain they close the budgets of those whose runs they were, and no other', async () => {
      await everybody()
    })

    test('in the log, too', async () => {
      await takeTurn(store, 0)
      await everybody()
    })

    test('each is named, once, and everything around them is counted', async () => {
      const told: string[] = []
      while (await countNext(store, (event) => told.push(event)));
      expect(new Set(told.map((event) => changed.get(event)))).toEqual(new Set(names))
      expect(told).toHaveLength(names.length)
      const noted = await store.query<{ event: string }>(
        'SELECT event FROM sallyport.unreadable_events',
      )
      expect(noted.map(({ event }) => event).toSorted()).toEqual(told.toSorted())
      const now = Date.now()
      const { usage: counted } = await usageOf(store, {
        ...{ by: 'resource', from: new Date(now - 7_200_000), to: new Date(now + 7_200_000) },
      })
      const runs = counted.reduce((sum, one) => sum + one.runs, 0)
      expect(runs).toBe(2 * names.length + 1)
      await everybody()
    })

    test('what comes behind them is counted as ever, of their subjects as well', async () => {
      await ran('honest')
      await takeTurn(store, 0)
      while (await countNext(store));
      expect(await factsOf('honest')).toEqual([honest + 5, names.length + 2, false])
      await ran(names[0]!)
      expect(await factsOf(names[0]!)).toEqual(['unknown', 'unknown', 'unknown'])
    })

    test('before there are words a search finds what is around them, and them by their columns', async () => {
      const found = async (q: string) =>
        (await searchEvents(store, { q, type: 'action.completed' }, null, 500)).events.length
      expect(await found('customers')).toBeGreaterThan(2 * names.length)
      const { events } = await searchEvents(store, { type: 'action.completed' }, null, 500)
      expect(events.filter(({ id }) => changed.has(id))).toHaveLength(names.length)
    })

    test('words are built behind them, and those that are no JSON are named', async () => {
      const told: string[] = []
      while (await buildWords(store, 1, (event) => told.push(event)));
      // All are, already.
      expect(told).toEqual([])
      const { events } = await searchEvents(
        store,
        { q: 'customers', type: 'action.completed' },
        null,
        500,
      )
      expect(events.length).toBeGreaterThan(2 * names.length)
    })
  },
)
