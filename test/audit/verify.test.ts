import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { canonical } from '../../src/audit/canonical.ts'
import { genesis, leafHash, linkHash, type Place } from '../../src/audit/chain.ts'
import { verifyExport } from '../../src/audit/verify.ts'
import { takeTurn } from '../../src/audit/log/sequence.ts'
import type { FindingKind } from '../../src/audit/verify/finding.ts'
import type { JsonObject } from '../../src/core/json.ts'
import type { Store } from '../../src/store/db.ts'
import { anIntent, exported, startReplica } from '../support/audit.ts'
import { openTestStore, storeKinds } from '../support/store.ts'

async function* stream(lines: readonly string[]) {
  yield* lines
}

const verify = (lines: readonly string[]) => verifyExport(stream(lines))

/** What is found, as `kind:line`. */
async function findings(lines: readonly string[]): Promise<string[]> {
  const report = await verify(lines)
  expect(report.ok).toBe(report.findings.length === 0)
  return report.findings.map(
    ({ kind, line }: { kind: FindingKind; line: number }) => `${kind}:${line}`,
  )
}

describe.each(storeKinds)('an export of the %s store', (kind) => {
  let store: Store
  let lines: string[]

  beforeAll(async () => {
    store = await openTestStore(kind)
    // One after the other, so that their chains follow each other in the log.
    for (const { audit } of [await startReplica(store), await startReplica(store)]) {
      for (let i = 0; i < 20; i++) {
        const action = { id: crypto.randomUUID(), name: 'http.request' }
        const outcome = { result: 'succeeded', status: 200, duration_ms: 1.5 } as const
        await audit.append(
          anIntent({
            action,
            attributes: { http: { json: { 10: 'ten', 9: 'nine', ü: '\u2028"\\\n' } } },
          }),
        )
        await audit.append({ type: 'action.completed', action, resource: 'crm', outcome })
        if (i % 10 === 9) await takeTurn(store, 0)
      }
    }
    lines = await exported(store)
  })

  test('verifies, and says where each chain begins and ends', async () => {
    const report = await verify(lines)
    expect(report).toMatchObject({ ok: true, lines: 80, erased: 0, findings: [] })
    expect(report.chains.map(({ first, last }) => [first, last])).toEqual([
      [1, 40],
      [1, 40],
    ])
    expect(report.chains[1]!.hash).toBe(JSON.parse(lines.at(-1)!).hash)
  })

  test('has events as the contract describes them', () => {
    const event = JSON.parse(lines[0]!)
    expect(event).toMatchObject({
      type: 'action.decided',
      seq: { epoch: 1, n: 1, replica: event.source.replica },
      subject: { issuer: 'https://idp.example.com', subject: 'agent-7', kind: 'agent' },
      subject_kind: 'agent',
      action: { name: 'http.request' },
      attributes: { http: { json: { 9: 'nine' } } },
      decision: 'allow',
      index: 0,
      prev: '0'.repeat(64),
    })
    expect(event.time).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/)
  })

  test('names the line in which any single byte was changed', async () => {
    const place = fc.record({
      line: fc.nat({ max: lines.length - 1 }),
      at: fc.nat(),
      byte: fc.integer({ min: 0, max: 0xff }).filter((byte) => byte !== 0x0a),
    })
    await fc.assert(
      fc.asyncProperty(place, async ({ line, at, byte }) => {
        const bytes = Buffer.from(lines[line]!)
        const index = at % bytes.length
        fc.pre(bytes[index] !== byte)
        bytes[index] = byte
        const found = (await verify(lines.with(line, bytes.toString()))).findings
        expect(found.map((finding) => finding.line)).toEqual([line + 1])
      }),
      { numRuns: 150 },
    )
  })

  test('names what is missing, from the beginning of a chain on', async () => {
    expect(await findings(lines.toSpliced(5, 1))).toEqual(['missing:6'])
    const report = await verify(lines.toSpliced(5, 3))
    expect(report.findings[0]).toMatchObject({
      place: { n: 6 },
      message: 'Links 6 to 8 are missing.',
    })
  })

  test('names a line that is there twice, at once or later', async () => {
    expect(await findings(lines.toSpliced(6, 0, lines[5]!))).toEqual(['duplicate:7'])
    expect(await findings(lines.toSpliced(30, 0, lines[5]!))).toEqual(['duplicate:31'])
  })

  test('names a line that was moved', async () => {
    const swapped = lines.with(5, lines[6]!).with(6, lines[5]!)
    expect(await findings(swapped)).toEqual(['reordered:6', 'reordered:7'])
  })

  test('shows an edit also when its hash was computed anew', async () => {
    expect(await findings(lines.with(5, forge(lines[5]!)))).toEqual(['forked:7'])
    expect(await findings(lines.toSpliced(6, 0, forge(lines[5]!)))).toEqual(['forked:7'])
  })

  test('names the lines that are not even JSON, and goes on behind them', async () => {
    const garbled = lines.with(3, '').with(4, '{"id":').with(5, 'null')
    expect(await findings(garbled)).toEqual(['unreadable:4', 'unreadable:5', 'unreadable:6'])
    expect(await findings(lines.with(3, ` ${lines[3]}`))).toEqual(['unreadable:4'])
  })

  test('shows a personal part that was exchanged, or taken out of the line', async () => {
    const { salt, subject, ...rest } = JSON.parse(lines[2]!)
    const exchanged = { ...rest, salt, subject: { ...subject, subject: 'somebody-else' } }
    expect(await findings(lines.with(2, canonical(exchanged)))).toEqual(['personal-edited:3'])
    expect(await findings(lines.with(2, canonical(rest)))).toEqual(['personal-edited:3'])
  })

  test('stays whole where a personal part was erased', async () => {
    const { salt: _, subject: __, attributes: ___, ...rest } = JSON.parse(lines[0]!)
    const report = await verify(lines.with(0, canonical(rest)))
    expect(report).toMatchObject({ ok: true, erased: 1 })
  })

  test('shows a clock that went back, and does not take it for an edit', async () => {
    const [first, second] = chainOf(['2026-01-02T00:00:00.000Z', '2026-01-01T23:00:00.000Z'])
    const report = await verify([first!, second!])
    expect(report).toMatchObject({ ok: true, findings: [{ kind: 'time-reversal', line: 2 }] })
  })

  test('of a span joins the next one without gap or overlap', async () => {
    const [middle] = await store.query<{ at: Date }>(
      'SELECT sequenced_at AS at FROM sallyport.audit_tree_stretches WHERE start > 30 ORDER BY start LIMIT 1',
    )
    const [earlier, later] = [
      await exported(store, { to: middle!.at }),
      await exported(store, { from: middle!.at }),
    ]
    expect([...earlier, ...later].toSorted()).toEqual(lines.toSorted())
    expect(earlier.length).toBeGreaterThan(0)
    expect(later.length).toBeGreaterThan(0)
    expect((await verify(later)).ok).toBe(true)
    expect((await verify([...earlier, ...later])).ok).toBe(true)
  })
})

/** What somebody does who knows how the log is made: edits an event, and computes its leaf and its link anew. */
function forge(line: string): string {
  return seal({ ...JSON.parse(line), reason: 'forged' })
}

/** An event with the hash that it would have. */
function seal(event: JsonObject): string {
  const {
    attributes: _,
    details: __,
    hash: ___,
    index: ______,
    prev,
    salt: ____,
    seq,
    subject: _____,
    ...body
  } = event
  const hash = linkHash(seq as unknown as Place, prev as string, leafHash(canonical(body)))
  return canonical({ ...event, hash })
}

/** A chain of events at these times. */
function chainOf(times: readonly string[]): string[] {
  const source = { epoch: 1, replica: '00000000-0000-4000-8000-000000000001' }
  let prev = genesis
  return times.map((time, index) => {
    const seq = { ...source, n: index + 1 }
    const event = { id: crypto.randomUUID(), type: 'policy.loaded', time, source, seq, prev }
    const line = seal({ ...event, index })
    prev = JSON.parse(line).hash
    return line
  })
}
