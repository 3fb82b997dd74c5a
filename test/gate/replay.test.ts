import { expect, test } from 'vitest'
import { Unknown } from '../../src/core/action.ts'
import type { EventInput } from '../../src/core/event.ts'
import { recordedAttributes } from '../../src/gate/recorded-attributes.ts'
import { replayRecorded, type ReplayLine } from '../../src/gate/replay.ts'
import { keepVersion } from '../../src/gate/in-force/generations.ts'
import { compilePolicies } from '../../src/policy/compile.ts'
import type { Store } from '../../src/store/db.ts'
import { anIntent, startReplica } from '../support/audit.ts'
import { openOwnedStore, withoutTriggers } from '../support/owned-store.ts'
import { openTestStore, storeKinds } from '../support/store.ts'

const resources = [
  { name: 'crm', protocol: 'http', facts: [] },
  { name: 'orders', protocol: 'postgres', facts: ['impact.rows'] },
]

const policiesOf = (text: string) =>
  compilePolicies([{ file: 'all.yaml', text }], { resources, elsewhere: true })

const everything = policiesOf(`
rules:
  - { name: crm, on: crm, then: allow }
  - { name: orders, on: orders, then: allow }
`)

/** A store in which this was decided, by policies that allow everything. */
async function recorded(...events: Partial<EventInput>[]): Promise<Store> {
  const store = await openTestStore()
  await record(store, ...events)
  return store
}

async function record(store: Store, ...events: Partial<EventInput>[]): Promise<void> {
  const { audit } = await startReplica(store)
  await keepVersion(store, everything)
  const details = { summary: 'what it does' }
  const all = { details, rules: ['crm'], policy: everything.hash }
  await Promise.all(events.map((event) => audit.append(anIntent({ ...all, ...event }))))
}

const span = { from: new Date(0), to: new Date(Date.now() + 60_000) }

async function replayed(store: Store, text: string) {
  const compile = (documents: Parameters<typeof compilePolicies>[0]) =>
    compilePolicies(documents, { resources, elsewhere: true })
  const lines: ReplayLine[] = []
  for await (const line of replayRecorded({ store, compile }, policiesOf(text), span))
    lines.push(line)
  return {
    differences: lines.flatMap((line) => ('difference' in line ? [line.difference] : [])),
    summary: lines.flatMap((line) => ('summary' in line ? [line.summary] : []))[0]!,
  }
}

test('what has no personal part, as after erasing it, is counted and decided by nobody', async () => {
  const { attributes: _attributes, ...rest } = anIntent({ subject: null })
  const store = await recorded({})
  const { audit } = await startReplica(store)
  await audit.append({ ...rest, policy: everything.hash })
  const { summary } = await replayed(store, 'rules: [{ name: d, on: crm, then: deny }]')
  expect(summary).toMatchObject({ actions: 2, erased: 1, different: 1 })
})

test('attack class 26: what somebody put in the place of a decision is counted as such, and all others are replayed', async () => {
  const { store, asOwner } = await openOwnedStore(storeKinds[0]!)
  await record(store, ...Array.from({ length: 9 }, () => ({})))
  await withoutTriggers(asOwner)
  const put = (column: string, text: string, nth: number) =>
    asOwner(`UPDATE sallyport.audit_events SET ${column} = convert_to('${text}', 'UTF8')
             WHERE id = (SELECT id FROM sallyport.audit_events WHERE type = 'action.decided' ORDER BY id OFFSET ${nth} LIMIT 1)`)
  for (const [nth, body] of ['garbage', 'null', '[]', '{"rules":7,"decision":{}}'].entries())
    await put('body', body, nth)
  const subject = `{"issuer":"i","subject":"s","kind":"agent","groups":[],"owner":null,"chain":[],"related":[],"claims":{}}`
  const personal = [
    '',
    '{"subject":7}',
    `{"subject":${subject},"attributes":{"http":null},"details":{"summary":""}}`,
    `{"subject":${subject},"attributes":{"sql":{"tables":{}}},"details":{}}`,
  ]
  for (const [nth, text] of personal.entries()) await put('personal', text, 4 + nth)
  const { summary } = await replayed(
    store,
    'rules: [{ name: d, on: crm, what: { http: { method: GET, path: /** } }, then: deny }]',
  )
  expect(summary).toMatchObject({ actions: 9, unreadable: 8, different: 1 })
})

test('an attribute that was too large to be kept is not guessed at, by what looks at it', async () => {
  const json = { order: 'x', text: 'y'.repeat(20_000) }
  const http = { method: 'POST', path: '/v1/orders', json }
  const store = await recorded({ attributes: recordedAttributes({ http }) })
  const looks = `
rules:
  - { name: all, on: crm, then: allow }
  - { name: d, on: crm, when: action.http.json.order == "x", then: deny }
`
  expect((await replayed(store, looks)).summary).toMatchObject({ unrecorded: 1, different: 0 })
  const other = 'rules: [{ name: d, on: crm, what: { http: { method: POST } }, then: deny }]'
  expect((await replayed(store, other)).summary).toMatchObject({ unrecorded: 0, different: 1 })
})

test('what was counted then is what it was decided by; what nobody counted is not guessed at', async () => {
  const http = { method: 'GET', path: '/v1/customers' }
  const usage = (rows: number) => ({ attributes: { http, usage: { 'rows customers 24h': rows } } })
  const store = await recorded(usage(500), usage(50), { attributes: { http } })
  const budget = (span: string) => `
rules:
  - { name: all, on: crm, then: allow }
  - { name: d, on: crm, when: 'usage.rows(subject, "customers", "${span}") > 100', then: deny }
`
  expect((await replayed(store, budget('24h'))).summary).toMatchObject({
    ...{ same: 1, different: 1, unrecorded: 1 },
  })
  expect((await replayed(store, budget('1h'))).summary).toMatchObject({ unrecorded: 3 })
})

test('what was unknown then is unknown now: it is on record that it was', async () => {
  const http = { method: 'POST', path: '/', json: new Unknown('the body is not valid JSON') }
  const store = await recorded({ attributes: recordedAttributes({ http }) })
  const looks = `
rules:
  - { name: all, on: crm, then: allow }
  - { name: d, on: crm, when: action.http.json.order == "x", then: deny }
`
  const { differences, summary } = await replayed(store, looks)
  expect(summary).toMatchObject({ unrecorded: 0, different: 1 })
  expect(differences[0]).toMatchObject({ after: { decision: { reason: 'condition-failed' } } })
})

test('rows that nobody estimated are not guessed at; those on record are decided by', async () => {
  const sql = { verb: ['delete'], tables: ['public.orders'], functions: [] }
  const action = { id: crypto.randomUUID(), name: 'sql.statement' }
  const about = { action, resource: 'orders', rules: ['orders'] }
  const store = await recorded(
    { ...about, attributes: { sql } },
    { ...about, attributes: { sql, impact: { rows: 3 } } },
    { ...about, attributes: { sql, impact: { rows: 300 } } },
  )
  const looks = `
rules:
  - { name: all, on: orders, then: allow }
  - name: many
    on: orders
    when: impact.rows > 100
    then: hold
    approval: { from: { group: dbas } }
`
  const { differences, summary } = await replayed(store, looks)
  expect(summary).toMatchObject({ actions: 3, same: 1, different: 1, unrecorded: 1 })
  expect(differences[0]).toMatchObject({
    before: { verdict: 'allow', explanation: { decision: { rules: ['orders'] } } },
    after: { decision: { verdict: 'hold', rules: ['many'] } },
  })
})

test('an allow rule that looks at what is missing could allow it: nobody knows', async () => {
  const store = await recorded({})
  const looks = 'rules: [{ name: a, on: crm, when: action.http.json.order == "x", then: allow }]'
  expect((await replayed(store, looks)).summary).toMatchObject({ unrecorded: 1 })
  // Whatever the body was, this one would not.
  const elsewhere = looks.replace('when:', 'what: { http: { method: PUT } }, when:')
  expect((await replayed(store, elsewhere)).summary).toMatchObject({ unrecorded: 0, different: 1 })
})

test('policies of the past that nobody can compile any more leave their decision', async () => {
  const store = await recorded()
  const { audit } = await startReplica(store)
  const policy = 'b'.repeat(64)
  await keepVersion(store, { hash: policy, documents: [{ file: 'old.yaml', text: 'rulez: []' }] })
  await audit.append(anIntent({ details: { summary: 's' }, policy }))
  const { differences } = await replayed(store, 'rules: [{ name: d, on: crm, then: deny }]')
  expect(differences).toMatchObject([
    { before: { verdict: 'allow', rules: ['agents-read-crm'], policy, explanation: null } },
  ])
})

test('more than a page, in order, each once', async () => {
  const store = await recorded(...Array.from({ length: 450 }, () => ({})))
  const { differences, summary } = await replayed(
    store,
    'rules: [{ name: d, on: crm, then: deny }]',
  )
  expect(summary).toMatchObject({
    actions: 450,
    different: 450,
    changes: [{ resource: 'crm', from: 'allow', to: 'deny', rule: 'd', actions: 450 }],
  })
  const times = differences.map(({ time }) => time)
  expect(times).toEqual(times.toSorted())
  expect(new Set(differences.map(({ action }) => action)).size).toBe(450)
})
