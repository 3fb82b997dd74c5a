import { beforeAll, describe, expect, test } from 'vitest'
import { csvHead } from '../../../src/audit/export/csv.ts'
import { exportText, formatNames } from '../../../src/audit/export/format.ts'
import type { ExportOptions, FormatName } from '../../../src/audit/export/format.ts'
import { openExport } from '../../../src/audit/export/ndjson.ts'
import { ocsfEvent } from '../../../src/audit/export/ocsf/event.ts'
import { readRows } from '../../../src/audit/export/rows.ts'
import type { Part } from '../../../src/audit/export/stretches.ts'
import { verifyExport } from '../../../src/audit/verify.ts'
import type { EventInput } from '../../../src/core/event.ts'
import type { Store } from '../../../src/store/db.ts'
import { agent, anIntent, startReplica } from '../../support/audit.ts'
import { openTestStore, storeKinds } from '../../support/store.ts'
import { mistakesOf } from './ocsf-schema.ts'

/** Nothing that comes out of an export may obey any of these. */
const hostile = [
  'a\r\nb,"c"\n',
  '=HYPERLINK("https://evil.example")',
  '@SUM(1)',
  '+1|cmd',
  '\t=1+1',
  'CEF:0|x|y\\|=z',
  '<13>1 - - - - - - forged',
  '\u001b[2J\u0007\u0085\u2028\u2029',
  '‮gnp.exe',
  '"},{"forged":true',
  '💥'.repeat(250_000),
]

/** Each of them in every field that somebody outside has a say in; what is indexed takes no megabytes. */
function withEverywhere(text: string): EventInput {
  const name = text.slice(0, 200)
  return anIntent({
    subject: {
      ...agent,
      subject: name,
      groups: [name],
      chain: [{ issuer: 'https://idp.example.com', subject: name }],
      claims: { note: name },
      owner: { issuer: 'https://idp.example.com', subject: name },
    },
    resource: name,
    attributes: { http: { method: name, path: text } },
    // A chat's name for somebody, and where a delivery goes, are details as well.
    details: { summary: text, channel: { tenant: name, name: text }, to: text },
    reason: name,
    rules: [name],
    usage: {
      ...{ tables: [name], columns: [name], datasets: [name], classes: [name], model: name },
      ...{ tokens_in: 1, tokens_out: 2 },
    },
    outcome: { result: 'failed', status: 502, error: text },
    trace: name,
  })
}

describe.each(storeKinds)('an export of the %s store', (kind) => {
  let store: Store
  let part: Part

  beforeAll(async () => {
    store = await openTestStore(kind)
    const { audit } = await startReplica(store)
    await audit.append({ type: 'gateway.started' })
    for (const text of hostile) {
      await audit.append(withEverywhere(text))
      const sql = { ...withEverywhere(text), action: { id: crypto.randomUUID(), name: 'sql.text' } }
      await audit.append(sql)
    }
    // One stretch of links with several events.
    await Promise.all(Array.from({ length: 40 }, () => audit.append(anIntent())))
    part = await openExport(store)
  })

  async function textOf(format: FormatName, of = part, options: ExportOptions = {}) {
    let text = ''
    for await (const piece of exportText(store, of, format, options)) text += piece
    return text
  }

  test.each(formatNames)('as %s goes on exactly where it was interrupted', async (format) => {
    const whole = await textOf(format)
    const lines = whole.split('\n')
    const head = format === 'csv' ? 1 : 0
    expect(lines).toHaveLength(head + part.end + 1)
    for (const cursor of [0, 1, 24, part.end - 7, part.end - 1, part.end]) {
      const rest = await textOf(format, { first: cursor, end: part.end }, { continued: true })
      const got = lines.slice(0, head + cursor).map((line) => `${line}\n`)
      expect(got.join('') + rest === whole).toBe(true)
    }
  })

  test.each(formatNames)('as %s has a line for each event, whatever is in it', async (format) => {
    const text = await textOf(format)
    // oxlint-disable-next-line no-control-regex
    expect(/[\0-\x09\x0b-\x1f]/.test(text)).toBe(false)
    expect(text).not.toContain('\r')
  })

  test('as csv is no formula to a spreadsheet', async () => {
    const [head, ...rows] = parseCsv(await textOf('csv'))
    expect(head).toEqual(csvHead.split(','))
    expect(rows.pop()).toEqual([''])
    for (const row of rows) {
      expect(row).toHaveLength(head!.length)
      for (const cell of row) expect(cell.slice(0, 1)).not.toMatch(/[=+\-@\t\r]/)
    }
    const summaries = rows.map((row) => row[head!.indexOf('details')]!)
    for (const text of hostile) {
      expect(summaries.some((cell) => meant(cell).includes(text))).toBe(true)
    }
  })

  test('as ocsf is valid, and has the whole event', async () => {
    const events = linesOf(await textOf('ocsf'))
    const verbatim = linesOf(await textOf('ndjson'))
    expect(events.map(({ unmapped }) => unmapped)).toEqual(verbatim)
    for (const event of events) expect(mistakesOf(event)).toEqual([])
  })

  test('without personal data verifies all the same', async () => {
    const lines = (await textOf('ndjson', part, { personal: false })).trimEnd().split('\n')
    async function* each() {
      yield* lines
    }
    const report = await verifyExport(each())
    expect(report).toMatchObject({ ok: true, findings: [], erased: part.end - 1 })
    for (const format of formatNames) {
      const text = await textOf(format, part, { personal: false })
      expect(text).not.toContain('agent-7')
      expect(text).not.toContain('customers/17')
    }
    const events = linesOf(await textOf('ocsf', part, { personal: false }))
    for (const event of events) expect(mistakesOf(event)).toEqual([])
  })

  test('as ocsf names an event that somebody took away', async () => {
    for await (const row of readRows(store, { first: 3, end: 4 })) {
      const gone = ocsfEvent({ ...row, body: null, salt: null, personal: null })
      expect(gone).toMatchObject({ class_uid: 0, severity_id: 5, metadata: { sequence: 3 } })
      expect(mistakesOf(gone)).toEqual([])
    }
  })
})

function linesOf(text: string): Record<string, unknown>[] {
  const lines = text.trimEnd().split('\n')
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>)
}

/** What a cell with JSON says, once its control characters are read back. */
function meant(cell: string): string {
  const { summary } = JSON.parse(cell || '{}') as { summary?: string }
  return summary ?? ''
}

/** RFC 4180, by the letter: written for this test, so that the writer does not check itself. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [[]]
  const field = /("(?:[^"]|"")*"|[^",\n]*)(,|\n|$)/gy
  for (let match; (match = field.exec(text));) {
    const [whole, cell, end] = match
    rows.at(-1)!.push(cell!.startsWith('"') ? cell!.slice(1, -1).replaceAll('""', '"') : cell!)
    if (end === '\n') rows.push([])
    if (whole === '' || end === '') break
  }
  return rows
}
