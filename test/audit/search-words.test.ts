import { Client } from 'pg'
import { beforeAll, describe, expect, test } from 'vitest'
import { takeTurn } from '../../src/audit/log/sequence.ts'
import { searchEvents, type EventFilter } from '../../src/audit/search.ts'
import { buildWords } from '../../src/audit/search/build-words.ts'
import { termsOf, unescaped } from '../../src/audit/search/words.ts'
import type { EventInput } from '../../src/core/event.ts'
import type { Store } from '../../src/store/db.ts'
import { openPostgres } from '../../src/store/postgres.ts'
import { agent, anIntent, startReplica } from '../support/audit.ts'
import { replicaOfThen } from '../support/past.ts'
import { atEnd, createTestDatabase, openTestStore, storeKinds } from '../support/store.ts'

const verbs = ['SELECT', 'update', 'Delete']
const things = [
  'orders',
  'order_items',
  "o'brien",
  'a|b&c',
  'x:*',
  '100%',
  '_',
  '\\',
  'naïve',
  '東京',
]

/** The same hundreds of events each time: many share words, and few share all of them. */
const inputs = Array.from({ length: 700 }, (_, i): EventInput =>
  anIntent({
    resource: `res-${i % 7}`,
    subject: { ...agent, subject: i % 5 === 0 ? "robot '\\ 5" : `agent-${i % 11}` },
    attributes: {
      sql: {
        text: `${verbs[i % 3]} ${things[i % 10]} where id = ${i} -- "${things[(i * 3) % 10]}"`,
      },
    },
    rules: [`rule-${i % 4}`, 'all'],
    trace: (i % 90).toString(16).padStart(32, '0'),
    ...(i % 13 === 0 && { digest: i.toString(16).padStart(64, 'd') }),
    ...(i % 6 === 0 && {
      usage: { datasets: ['orders', `set-${i % 4}`], classes: ['pii'], model: `gpt-${i % 5}.1` },
    }),
    ...(i % 17 === 0 && { decision: 'deny', reason: `WHY_${i % 4}` }),
    ...(i % 51 === 0 && { enforced: false }),
  }),
)

async function buildAll(store: Store): Promise<void> {
  await takeTurn(store, 0)
  while (await buildWords(store, 100));
}

const all = async (store: Store, filter: EventFilter, limit = 40): Promise<string[]> => {
  const ids: string[] = []
  let cursor: string | null = null
  do {
    const page: Awaited<ReturnType<typeof searchEvents>> = await searchEvents(
      store,
      filter,
      cursor,
      limit,
    )
    ids.push(...page.events.map(({ id }) => id))
    cursor = page.cursor
  } while (cursor)
  return ids
}

describe.each(storeKinds)('looking words up in the log of the %s store', (kind) => {
  let built: Store
  /** The same events, with no words built: what is found is found by looking at each. */
  let plain: Store

  beforeAll(async () => {
    built = await openTestStore(kind)
    plain = await openTestStore(kind)
    for (const store of [built, plain]) {
      // What is new is looked through, whether it has words or not.
      const then = await replicaOfThen(store, new Date(Date.now() - 3_600_000))
      for (const [from, until] of [
        [0, 300],
        [300, 500],
        [500, 660],
      ]) {
        await Promise.all(inputs.slice(from, until).map((input) => then.append(input)))
        if (store === built) await buildAll(store)
      }
      const { audit } = await startReplica(store)
      await Promise.all(inputs.slice(660).map((input) => audit.append(input)))
    }
    // As if all of it were new.
    await plain.query('UPDATE sallyport.audit_tree SET turn_at = to_timestamp(0)')
  })

  /** By what they say, since each store gives ids of its own. */
  const found = async (store: Store, filter: EventFilter, limit?: number) => {
    const ids = await all(store, filter, limit)
    const rows = await store.query<{ id: string; action: string }>(
      'SELECT id, action FROM sallyport.audit_events WHERE id = ANY ($1::uuid[])',
      [ids],
    )
    const action = new Map(rows.map((row) => [row.id, row.action]))
    return ids.map((id) => inputs.findIndex((input) => input.action!.id === action.get(id)))
  }

  test('has words for segments, and looks through the rest', async () => {
    const segments = await built.query<{ first: number; until: number }>(
      'SELECT first, until FROM sallyport.audit_words ORDER BY first',
    )
    expect(segments).toEqual([
      { first: 0, until: 300 },
      { first: 300, until: 500 },
      { first: 500, until: 660 },
    ])
  })

  const words = [
    ...['select', 'SELECT orders', 'ord', 'order_items', 'items', 'id = 69', "O'Brien", "'brien"],
    ...[
      'a|b&c',
      'x:*',
      '100%',
      '_',
      '\\',
      '"naïve"',
      'NAÏVE',
      '東京',
      '東',
      'select & orders',
      'orders | nothing',
    ],
    ...[
      '!select',
      "'",
      '"',
      '(',
      ':*',
      '<->',
      'or true --',
      'update "order_items"',
      'where%',
      '.*',
    ],
  ]
  const filters: EventFilter[] = [
    ...words.map((q) => ({ q })),
    ...[
      { rule: 'rule-3' },
      { rule: 'rule' },
      { effect: 'read' },
      { effect: 'write' },
      { action: 'http.request', resource: 'res-2' },
      { enforced: true },
      { enforced: false, q: 'select' },
      { subject: 'agent-3', resource: 'res-2' },
    ],
    ...[
      { digest: (39).toString(16).padStart(64, 'd') },
      { trace: '11'.padStart(32, '0') },
      { policy: 'a'.repeat(64), decision: 'deny' },
    ],
    ...[
      { q: 'delete', subject: "robot '\\ 5", decision: 'deny' },
      { q: 'delete', rule: 'rule-1', reason: 'WHY_1' },
      { result: 'failed' },
      { dataset: 'set-2', model: 'gpt-4.1' },
      { dataset: 'pii' },
      { class: 'pii', decision: 'deny' },
      { model: 'gpt-3' },
    ],
  ]

  test.each(filters)('%j finds what looking at each event finds', async (filter) => {
    const expected = await found(plain, filter)
    expect(await found(built, filter)).toEqual(expected)
    expect(await found(built, filter, 97)).toEqual(expected)
  })

  test('finds something by each kind of words', async () => {
    for (const q of [
      'select',
      'ord',
      'order_items',
      "o'brien",
      'a|b&c',
      'x:*',
      '100%',
      '\\',
      '東京',
    ]) {
      expect((await found(built, { q })).length, q).toBeGreaterThan(0)
    }
    expect((await found(built, { action: 'http.request' })).length).toBe(inputs.length)
  })

  test('finds an action, an event and an approval by their ids', async () => {
    const { id } = inputs[3]!.action!
    expect(await found(built, { q: id })).toEqual([3])
    expect(await found(built, { q: `${id.toUpperCase()} update` })).toEqual([])
    const [event] = await all(built, { q: id })
    expect(await found(built, { q: event! })).toEqual([3])
  })

  test('finds what touched a data set, and what a model answered', async () => {
    const of = async (filter: EventFilter) => (await found(built, filter)).toSorted((a, b) => a - b)
    const sixth = inputs.flatMap((_, i) => (i % 6 === 0 ? i : []))
    expect(await of({ dataset: 'set-2' })).toEqual(sixth.filter((i) => i % 4 === 2))
    expect(await of({ class: 'pii' })).toEqual(sixth)
    expect(await of({ model: 'gpt-4.1' })).toEqual(sixth.filter((i) => i % 5 === 4))
    expect(await of({ model: 'pii' })).toEqual([])
  })

  test('keeps to a range of time', async () => {
    const [newest] = await all(built, { q: 'select' }, 1)
    const at = new Date(Number.parseInt(newest!.replaceAll('-', '').slice(0, 12), 16))
    expect(await all(built, { q: 'select', to: at })).not.toContain(newest)
    expect(await all(built, { q: 'select', from: new Date(at.getTime() + 60_000) })).toEqual([])
  })
})

describe.each(storeKinds)('what comes late into the log of the %s store', (kind) => {
  test('is found before its words are built, as everything is', async () => {
    const store = await openTestStore(kind)
    const then = await replicaOfThen(store, new Date(Date.now() - 3_600_000))
    await Promise.all(inputs.slice(0, 120).map((input) => then.append(input)))
    await buildAll(store)
    const late = anIntent({ attributes: { sql: { text: 'SELECT * FROM latecomers' } } })
    await then.append(late)
    await takeTurn(store, 0)
    expect(await store.query('SELECT next FROM sallyport.audit_words_progress')).toEqual([
      { next: 120 },
    ])
    const { events } = await searchEvents(store, { q: 'latecomers' })
    expect(events).toMatchObject([{ action: { id: late.action!.id } }])
    await then.append(anIntent())
    while (await buildWords(store, 1));
    expect((await all(store, { q: 'latecomers' })).length).toBe(1)
  })
})

describe.each(storeKinds)(
  'letters beyond ASCII that have small ones within, in the %s store',
  (kind) => {
    test('are found by these', async () => {
      const store = await openTestStore(kind)
      const { audit } = await startReplica(store)
      for (const text of ['INSERT INTO items', 'İNSERT 5 \u212aELVIN', 'update'])
        await audit.append(anIntent({ attributes: { sql: { text } } }))
      for (const [q, events] of Object.entries({
        insert: 1,
        Items: 1,
        İnsert: 1,
        kelvin: 1,
        update: 1,
      }))
        expect((await all(store, { q })).length, q).toBe(events)
    })
  },
)

describe.skipIf(!storeKinds.includes('postgres'))('words of what was erased', () => {
  test('are gone with it, and what else their chunk has is found as before', async () => {
    const url = await createTestDatabase()
    const store = await openPostgres(url)
    atEnd(() => store.end())
    const { audit } = await startReplica(store)
    await Promise.all(inputs.slice(0, 300).map((input) => audit.append(input)))
    await buildAll(store)
    const kept = await all(store, { q: 'update', subject: 'agent-3' })
    expect(kept.length).toBeGreaterThan(0)
    const words = async () => {
      const [row] = await store.query<{ robot: boolean; stale: number }>(
        `SELECT EXISTS (SELECT FROM sallyport.audit_word_pages WHERE position('robot'::bytea IN data) > 0) AS robot,
                (SELECT count(*) FROM sallyport.audit_words WHERE words IS NULL)::int AS stale`,
      )
      return row
    }
    expect(await words()).toEqual({ robot: true, stale: 0 })

    const eraser = new Client({ connectionString: url })
    await eraser.connect()
    await eraser.query('GRANT sallyport_eraser TO CURRENT_USER; SET ROLE sallyport_eraser')
    await eraser.query(
      `UPDATE sallyport.audit_events SET issuer = NULL, subject = NULL, salt = NULL, personal = NULL WHERE subject = $1`,
      ["robot '\\ 5"],
    )
    await eraser.end()
    expect(await words()).toEqual({ robot: false, stale: 1 })
    expect(await all(store, { q: 'robot' })).toEqual([])
    expect(await all(store, { q: 'update', subject: 'agent-3' })).toEqual(kept)

    await buildAll(store)
    expect(await words()).toEqual({ robot: false, stale: 0 })
    expect(await all(store, { q: 'update', subject: 'agent-3' })).toEqual(kept)
  })
})

describe.skipIf(!storeKinds.includes('postgres'))('a log that somebody took links out of', () => {
  test('has words for what is left of it', async () => {
    const url = await createTestDatabase()
    const store = await openPostgres(url)
    atEnd(() => store.end())
    const { audit } = await startReplica(store)
    for (const input of inputs.slice(0, 40)) await audit.append(input)
    await takeTurn(store, 0)
    const owner = new Client({ connectionString: url })
    await owner.connect()
    await owner.query(
      `ALTER TABLE sallyport.audit_links DISABLE TRIGGER append_only;
       DELETE FROM sallyport.audit_links WHERE first BETWEEN 5 AND 9 OR first > 30`,
    )
    await owner.end()
    while (await buildWords(store, 1));
    expect(await store.query('SELECT next FROM sallyport.audit_words_progress')).toEqual([
      { next: 40 },
    ])
    const update = inputs.slice(0, 30).filter((_, i) => i % 3 === 1 && !(i >= 4 && i < 9))
    const found = await store.query<{ events: number }>(
      'SELECT octet_length(ids) / 16 AS events FROM sallyport.audit_words',
    )
    expect(found).toEqual([{ events: 25 }])
    expect((await all(store, { q: 'update' })).length).toBeGreaterThanOrEqual(update.length)
  })
})

test('a word that somebody looks for means nothing but itself', () => {
  expect(termsOf(`Orders&"x" 'a':* /v1/Cust`)).toEqual([
    { text: 'orders&\\"x\\"', plain: 'orders&\0x\0', whole: ['orders', 'x'], begin: null },
    { text: "'a':*", plain: "'a':*", whole: ['a'], begin: null },
    { text: '/v1/cust', plain: '/v1/cust', whole: ['v1'], begin: 'cust' },
  ])
})

test.each(['\\', '\\u', '\\u00'])('a text that was cut off in %j is looked through', (cut) => {
  expect(unescaped(`a\\n\\u0001${cut}`)).toBe(`a\n\u0001${cut}`)
})
