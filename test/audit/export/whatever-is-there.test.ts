import { beforeAll, describe, expect, test } from 'vitest'
import { syslogDestination } from '../../../src/audit/delivery/syslog.ts'
import { exportText, formatNames } from '../../../src/audit/export/format.ts'
import { openExport } from '../../../src/audit/export/ndjson.ts'
import { readRows } from '../../../src/audit/export/rows.ts'
import type { Part } from '../../../src/audit/export/stretches.ts'
import { searchEvents } from '../../../src/audit/search.ts'
import { buildWords } from '../../../src/audit/search/build-words.ts'
import { verifyStore } from '../../../src/audit/verify.ts'
import type { Store } from '../../../src/store/db.ts'
import { anIntent, startReplica } from '../../support/audit.ts'
import { mistakesOf } from './ocsf-schema.ts'
import { openOwnedStore, withoutTriggers } from '../../support/owned-store.ts'
import { storeKinds } from '../../support/store.ts'

// Deeper than this program can go down. Far deeper, the embedded PostgreSQL does not come back: it has no limit for its stack.
const deep = `{"a":${'['.repeat(20_000)}${']'.repeat(20_000)}}`
const forged = '{"a":1}\n{"id":"a line that somebody put in"}'
/** JSON of another shape than events have. */
const otherwise: typeof bodies = [
  ['{"id":5}', 'edited'],
  ['{"id":"00000000-0000-4000-8000-000000000000"}', 'event-missing'],
  ['{"decision":[],"type":{}}', 'edited'],
  ['{"action":"x","outcome":3,"usage":[]}', 'edited'],
]
/** What is no event, and how each line says so. */
const bodies: readonly (readonly [Buffer | string, string])[] = [
  ['', 'edited'],
  ['garbage', 'edited'],
  [Buffer.from([0xff, 0xfe, 0x7b]), 'edited'],
  ['null', 'event-missing'],
  ['[]', 'event-missing'],
  ['"text"', 'edited'],
  ['{"a":"\\ud800"}', 'unreadable'],
  ['{"a":,}', 'unreadable'],
  [deep, 'unreadable'],
  [forged, 'edited'],
  ['{"time":"99999","type":"] <1>"}', 'edited'],
  ...otherwise,
]
const personal = ['', 'garbage', Buffer.from([0xff]), '[]', forged]

function isJson(body: Buffer | string): boolean {
  try {
    JSON.parse(body.toString())
    return true
  } catch {
    return false
  }
}

describe.each(storeKinds)('attack class 26: what is no event, in the %s store', (kind) => {
  let store: Store
  let part: Part
  const count = bodies.length + personal.length + 1

  beforeAll(async () => {
    const { store: opened, asOwner } = await openOwnedStore(kind)
    store = opened
    const { audit } = await startReplica(store)
    const appended = Array.from({ length: count }, () => audit.append(anIntent()))
    await Promise.all(appended)
    part = await openExport(store)
    await withoutTriggers(asOwner)
    const put = (column: string, content: Buffer | string, nth: number) =>
      asOwner(`UPDATE sallyport.audit_events SET ${column} = '\\x${Buffer.from(content).toString('hex')}'
               WHERE id = (SELECT id FROM sallyport.audit_events ORDER BY id OFFSET ${nth} LIMIT 1)`)
    for (const [nth, [body]] of bodies.entries()) await put('body', body, nth)
    for (const [nth, one] of personal.entries()) await put('personal', one, bodies.length + nth)
  })

  test('is a line of the export, which is named, and nothing else is', async () => {
    const { findings } = await verifyStore(store)
    const expected = [
      ...bodies.map(([, kindOf]) => kindOf),
      ...personal.map(() => 'personal-edited'),
    ]
    expect(findings.map((found) => `${found.line} ${found.kind}`)).toEqual(
      expected.map((kindOf, nth) => `${nth + 1} ${kindOf}`),
    )
  })

  test('is found by a search, beside all others', async () => {
    const { events } = await searchEvents(store, { resource: 'crm' })
    expect(events).toHaveLength(count)
    // That one has the shape of an event; verifying finds out what it is.
    expect(
      events.filter((event) => !('unreadable' in event) && event.type !== 'action.decided'),
    ).toEqual([expect.objectContaining({ type: '] <1>' })])
  })

  test('is named when words are built, and what is around it has them', async () => {
    const told: string[] = []
    while (await buildWords(store, 1, (event) => told.push(event)));
    const isEvent = (body: Buffer | string) => isJson(body) && body.toString().startsWith('{')
    expect(told).toHaveLength(bodies.filter(([body]) => !isEvent(body)).length)
    // The embedded database knows no end of its stack, and one of these has none.
    if (kind === 'embedded') return
    const { events } = await searchEvents(store, { q: 'customers' })
    expect(events[0]).toMatchObject({ type: 'action.decided', seq: { n: count } })
  })

  test.each(formatNames)('is a line of %s, and one', async (format) => {
    let text = ''
    for await (const piece of exportText(store, part, format)) text += piece
    const lines = text.trimEnd().split('\n')
    expect(lines).toHaveLength(format === 'csv' ? count + 1 : count)
    expect(text).not.toMatch(/NaN|Invalid/)
    if (format !== 'ocsf') return
    const events = lines.map((line) => JSON.parse(line) as object)
    expect(events.flatMap((event) => mistakesOf(event))).toEqual([])
  })

  test.each(['cef', 'ndjson'] as const)(
    'is a message of syslog with %s, and one',
    async (format) => {
      const { write } = syslogDestination({ host: '127.0.0.1', port: 1, tls: 'disable' }, format)
      for await (const row of readRows(store, part)) {
        const [, length, message] = /^(\d+) (.*)$/su.exec(write(row))!
        expect(Buffer.byteLength(message!)).toBe(Number(length))
        // RFC 5424 §6.
        expect(message).toMatch(
          /^<110>1 (-|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) [!-~]{1,255} sallyport [!-~]{1,128} [!-~]{1,32} \[meta sequenceId="\d+"\] [^\n]+$/,
        )
      }
    },
  )
})
