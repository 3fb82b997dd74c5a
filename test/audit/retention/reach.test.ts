import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { evidenceLines } from '../../../src/audit/evidence/lines.ts'
import { manifestOf, type Manifest } from '../../../src/audit/export/manifest.ts'
import { openExport } from '../../../src/audit/export/ndjson.ts'
import { readPages } from '../../../src/audit/export/rows.ts'
import type { EventRow } from '../../../src/audit/exported.ts'
import { Sequencer } from '../../../src/audit/log/sequencer.ts'
import { contentsOf } from '../../../src/audit/retention/contents.ts'
import { createLegalHold, releaseLegalHold } from '../../../src/audit/retention/legal-hold.ts'
import { listMonths } from '../../../src/audit/retention/months.ts'
import { retentionOf } from '../../../src/audit/retention/retain.ts'
import { searchEvents } from '../../../src/audit/search.ts'
import { buildWords } from '../../../src/audit/search/build-words.ts'
import { saveSearch } from '../../../src/audit/search/saved.ts'
import { agent, anIntent, quiet, startReplica } from '../../support/audit.ts'
import { openOwnedStore } from '../../support/owned-store.ts'
import { dropStep, provideMonth, replicaOfThen } from '../../support/past.ts'
import { atEnd, storeKinds } from '../../support/store.ts'
import { act, countAll, customers } from '../../usage/support.ts'

const month = '2024-03'
const keepMs = 400 * 86_400_000

describe.each(storeKinds)('what leaves the %s store', (kind) => {
  async function scene() {
    const { store, asOwner } = await openOwnedStore(kind)
    const { audit } = await startReplica(store)
    const signing = [generateKeyPairSync('ed25519').privateKey]
    const sequencer = new Sequencer({ store, signing, audit, log: quiet })
    atEnd(() => sequencer.close())

    /** Puts on record that a month is kept elsewhere, and takes it out. */
    async function retain(name: string, deliveries: readonly string[] = []) {
      const { events, impersonal, indexes } = await contentsOf(store, name)
      const exports = [{ first: 0, end: indexes.at(-1)!.end, sha256: 'a'.repeat(64) }]
      const claim = { month: name, events, impersonal, exports }
      const retention = await retentionOf(store, claim, { keepMs, deliveries })
      await audit.append({ type: 'audit.retained', subject: agent, retention })
      await sequencer.seal()
      for (let step = 0; step < 3; step++) await dropStep(asOwner, name)
    }
    const months = async () => (await listMonths(store, keepMs)).map((one) => one.month)
    return { store, asOwner, audit, sequencer, retain, months }
  }

  test('leaves the counts and the words as well, also who is erased when their month is long gone', async () => {
    const { store, asOwner, audit, sequencer, retain } = await scene()
    await provideMonth(asOwner, month)
    const then = await replicaOfThen(store, new Date('2024-03-15T12:00:00Z'))
    for (const by of ["o'agent\\7", 'agent-8'])
      await act(then, { by, outcome: { result: 'succeeded', rows: 5 }, usage: customers })
    await then.close()
    await sequencer.seal()
    await act(audit, { by: 'agent-8', usage: customers })
    await sequencer.seal()
    await countAll(store)
    while (await buildWords(store, 1));
    const { issuer } = agent
    const gone = { issuer, subject: "o'agent\\7" }
    await saveSearch(store, gone, { name: 'mine', query: { q: 'me' } })
    await saveSearch(store, { issuer, subject: 'agent-8' }, { name: 'other', query: {} })

    const words = async () => {
      const pages = await store.query<{ data: Buffer }>(
        'SELECT data FROM sallyport.audit_word_pages',
      )
      return pages.map(({ data }) => data.toString()).join('')
    }
    expect(await words()).toContain('subject=agent-8')
    await retain(month)
    expect(await words()).not.toContain('subject=')

    const inCounts = async () => {
      const rows = await store.query<{ subject: string }>(
        `SELECT subject FROM sallyport.usage_hours WHERE subject IS NOT NULL
         UNION SELECT subject FROM sallyport.usage_first ORDER BY 1`,
      )
      return rows.map(({ subject }) => subject)
    }
    expect(await inCounts()).toEqual(['agent-8', gone.subject])
    await asOwner(
      `SELECT sallyport.erase_beside_log('${issuer}', 'o''agent\\7', 'request 2026-117', 0)`,
    )
    expect(await inCounts()).toEqual(['agent-8'])
    const kept = await store.query<{ name: string; rows: number }>(
      `SELECT (SELECT string_agg(name, ',') FROM sallyport.saved_searches) AS name,
              (SELECT sum(rows)::float8 FROM sallyport.usage_hours) AS rows`,
    )
    // What they did stays counted.
    expect(kept).toMatchObject([{ name: 'other', rows: 10 }])
    expect((await searchEvents(store, { subject: 'agent-8' })).events.length).toBeGreaterThan(0)
  })

  test('leaves when every delivery that is configured has it', async () => {
    const { store, asOwner, sequencer, retain, months } = await scene()
    await provideMonth(asOwner, month)
    const then = await replicaOfThen(store, new Date('2024-03-15T12:00:00Z'))
    for (let i = 0; i < 3; i++) await then.append(anIntent())
    await then.close()
    await sequencer.seal()
    const { indexes } = await contentsOf(store, month)
    const { end } = indexes.at(-1)!
    await store.query(
      `INSERT INTO sallyport.audit_deliveries (name, settings, cursor) VALUES ('siem', '{}', $1), ('old', '{}', 0)`,
      [end - 1],
    )
    await expect(retain(month, ['siem'])).rejects.toThrow(
      'The delivery siem has not got past 2024-03',
    )
    // Nobody knows from where it will begin.
    await expect(retain(month, ['another'])).rejects.toThrow('The delivery another has not got')
    await store.query(`UPDATE sallyport.audit_deliveries SET cursor = $1 WHERE name = 'siem'`, [
      end,
    ])
    // `old` is not in the configuration any more.
    await retain(month, ['siem'])
    expect(await months()).not.toContain(month)
  })

  test('leaves month by month, also what came while the clock had jumped', async () => {
    const { store, sequencer, retain, months, audit } = await scene()
    for (const day of ['2024-03-31T23:59:59Z', '2024-04-01T00:00:00Z', '2024-06-10T00:00:00Z']) {
      const then = await replicaOfThen(store, new Date(day))
      await then.append(anIntent({ resource: day }))
      await then.close()
    }
    await sequencer.seal()
    const now = (await months()).slice(-3)
    expect(await months()).toEqual(['2024-03', '2024-04', '2024-06', ...now])
    await retain('2024-04')
    expect(await months()).toEqual(['2024-03', '2024-06', ...now])
    await retain('2024-03')
    await retain('2024-06')
    expect(await months()).toEqual(now)
    const left = await store.query<{ id: string }>(
      `SELECT id FROM sallyport.audit_events WHERE type = 'action.decided'`,
    )
    expect(left).toEqual([])
    // It is as append-only as before.
    const then = await replicaOfThen(store, new Date('2024-07-01T00:00:00Z'))
    await then.append(anIntent())
    await audit.append(anIntent())
    await expect(store.query('DELETE FROM sallyport.audit_events_left_over')).rejects.toThrow()
    await expect(
      store.query(
        `UPDATE sallyport.audit_events SET type = 'x' WHERE id < '01900000-0000-0000-0000-000000000000'`,
      ),
    ).rejects.toThrow()
  })

  test('leaves while it is exported: every line is there, and no reader is told that somebody took it', async () => {
    const { store, asOwner, sequencer, retain } = await scene()
    const numbers = { '2024-03': 3_500, '2024-04': 1_500 }
    for (const [name, events] of Object.entries(numbers)) {
      await provideMonth(asOwner, name)
      const then = await replicaOfThen(store, new Date(`${name}-15T12:00:00Z`))
      await Promise.all(Array.from({ length: events }, () => then.append(anIntent())))
      await then.close()
      await sequencer.seal()
    }
    const part = await openExport(store, {})
    const pages = readPages(store, part)
    const rows: EventRow[] = []
    const readUpTo = async (count: number) => {
      while (rows.length < count) {
        const { value, done } = await pages.next()
        if (done) return
        rows.push(...value)
      }
    }
    // Some pages further on are read before somebody asks for them.
    await readUpTo(1)
    await retain('2024-03')
    await readUpTo(2_500)
    await retain('2024-04')
    await readUpTo(Infinity)
    expect(rows.map(({ index }) => index)).toEqual(rows.map((_, at) => at))
    expect(rows.length).toBe(part.end)
    const gone = rows.filter(({ body }) => body === null)
    expect(gone.some(({ index }) => index! > numbers['2024-03'] + 500)).toBe(true)
    expect(gone.filter(({ leaf, retained }) => !leaf || !retained)).toEqual([])
    expect(rows[0]!.body).not.toBeNull()
  })

  test('leaves no evidence that says somebody took it', async () => {
    const { store, asOwner, sequencer, retain } = await scene()
    await provideMonth(asOwner, month)
    const then = await replicaOfThen(store, new Date('2024-03-15T12:00:00Z'))
    for (let i = 0; i < 3; i++) await then.append(anIntent())
    await then.close()
    await sequencer.seal()
    const evidence = async (manifest: Manifest) => {
      const lines: string[] = []
      for await (const line of evidenceLines(store, manifest)) lines.push(line)
      return lines.length
    }
    const before = await manifestOf(store, { first: 0, end: 3 })
    expect(await evidence(before)).toBe(3)
    await retain(month)
    // It had begun before.
    await expect(evidence(before)).rejects.toThrow('a month left the database')
    expect(await evidence(await manifestOf(store, { first: 0, end: 3 }))).toBe(3)
  })

  test('attack class 26: a legal hold ends neither unseen nor in the past', async () => {
    const { store, audit } = await scene()
    const scope = { from: new Date('2024-01-01'), to: null, subject: null, action: null }
    const record =
      (tx: Parameters<typeof audit.write>[0]) => (event: Parameters<typeof audit.write>[1]) =>
        audit.write(tx, event)
    const hold = await store.tx((tx) =>
      createLegalHold(tx, record(tx), agent, { ...scope, reason: 'case 2026-4, Smith' }),
    )
    const release = `UPDATE sallyport.legal_holds SET released_by_issuer = 'x', released_by_subject = 'y', released_at = '2024-02-01' WHERE id = $1`
    await expect(store.query(release, [hold.id])).rejects.toThrow(/does not say that legal hold/)
    const released = await store.tx((tx) =>
      releaseLegalHold(tx, record(tx), agent, { id: hold.id, reason: 'the case was closed' }),
    )
    expect(released!.releasedAt!.getTime()).toBeGreaterThan(hold.createdAt.getTime())
  })
})
