import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { exportText } from '../../../src/audit/export/format.ts'
import { manifestOf } from '../../../src/audit/export/manifest.ts'
import { openCheckpoint } from '../../../src/audit/log/checkpoint.ts'
import { listSigningKeys, readCheckpoint } from '../../../src/audit/log/checkpoints.ts'
import { rootOfInclusion } from '../../../src/audit/log/proof.ts'
import { indexOf, proveInclusion } from '../../../src/audit/log/prove.ts'
import { Sequencer } from '../../../src/audit/log/sequencer.ts'
import { createLegalHold, releaseLegalHold } from '../../../src/audit/retention/legal-hold.ts'
import { listMonths } from '../../../src/audit/retention/months.ts'
import { retentionOf } from '../../../src/audit/retention/retain.ts'
import { verifyExport, type VerifyReport } from '../../../src/audit/verify.ts'
import { manifestFile } from '../../../src/audit/verify/signed-log.ts'
import type { AuditLog } from '../../../src/audit/append.ts'
import type { Store } from '../../../src/store/db.ts'
import { agent, anIntent, exported, quiet, startReplica } from '../../support/audit.ts'
import { openOwnedStore, type RunAs } from '../../support/owned-store.ts'
import { dropStep, provideMonth, replicaOfThen } from '../../support/past.ts'
import { python } from '../../support/python.ts'
import { atEnd, storeKinds } from '../../support/store.ts'

const month = '2024-03'
const keepMs = 400 * 86_400_000
const keeping = { keepMs, deliveries: [] as string[] }

describe.each(storeKinds)('a month that is kept elsewhere, in the %s store', (kind) => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-retention-'))
  let store: Store
  let asOwner: RunAs
  let audit: AuditLog
  let sequencer: Sequencer
  /** Everything, as it was exported before the month left. */
  let before: string[]
  let claim: Parameters<typeof retentionOf>[1]

  beforeAll(async () => {
    atEnd(async () => rmSync(folder, { recursive: true }))
    ;({ store, asOwner } = await openOwnedStore(kind))
    await provideMonth(asOwner, month)
    const now = await startReplica(store)
    audit = now.audit
    const signing = [generateKeyPairSync('ed25519').privateKey]
    sequencer = new Sequencer({ store, signing, audit, log: quiet })
    atEnd(() => sequencer.close())
    const then = await replicaOfThen(store, new Date('2024-03-15T12:00:00Z'))
    await audit.append({ type: 'gateway.started' })
    await sequencer.seal()
    for (let i = 0; i < 20; i++) await then.append(anIntent())
    // One that is written first, and linked behind others.
    await store.tx((tx) => then.write(tx, anIntent({ resource: 'linked-later' })))
    then.linkWritten()
    // What explains an even earlier month: it has to outlive its own.
    await then.append({
      type: 'audit.retained',
      retention: { month: '2023-01', events: 0, indexes: [], exports: [] },
    })
    await then.close()
    await sequencer.seal()
    for (let i = 0; i < 5; i++) await audit.append(anIntent())
    await sequencer.seal()
    before = await exported(store)
    const ofThen = before.filter(isOfThen)
    const end = before.length
    const exports = [{ first: 0, end, sha256: 'a'.repeat(64) }]
    claim = { month, events: ofThen.length, impersonal: 0, exports }
    expect(ofThen).toHaveLength(21)
  })

  const isOfThen = (line: string) =>
    line.includes('"time":"2024-03-') && !line.includes('"type":"audit.retained"')

  const drop = () => dropStep(asOwner, month)

  async function* each(lines: readonly string[]) {
    yield* lines
  }

  async function report(
    lines: readonly string[],
    part?: { first: number; end: number },
  ): Promise<VerifyReport> {
    const manifest = await manifestOf(store, part ?? { first: 0, end: lines.length })
    return verifyExport(each(lines), {
      manifest: manifestFile.parse(JSON.parse(JSON.stringify(manifest))),
      keys: await listSigningKeys(store),
      older: null,
    })
  }

  /** Findings of the verifier in Python, as `kind:line`. */
  async function inPython(lines: readonly string[], part?: { first: number; end: number }) {
    const file = join(folder, 'export.ndjson')
    const manifest = await manifestOf(store, part ?? { first: 0, end: lines.length })
    writeFileSync(file, `${lines.join('\n')}\n`)
    writeFileSync(`${file}.manifest.json`, JSON.stringify(manifest))
    const { stdout } = await python(['examples/verify/verify.py', file]).catch(
      (error: { code: number; stdout: string }) => {
        if (error.code !== 1) throw error
        return error
      },
    )
    return [...stdout.matchAll(/^line (\d+): ([a-z-]+):/gm)].map(
      ([, line, found]) => `${found}:${line}`,
    )
  }

  const found = ({ findings }: VerifyReport) =>
    findings.map(({ kind: what, line }) => `${what}:${line}`)

  test('does not leave while nothing says that it is kept elsewhere', async () => {
    await expect(drop()).rejects.toThrow(/no signed record says that 2024-03 is kept elsewhere/)
    expect(await listMonths(store, keepMs)).toContainEqual(
      expect.objectContaining({ month, due: true, recorded: false, heldBy: [] }),
    )
  })

  test('does not leave for files that lack something of it', async () => {
    const lacking = async (changes: Partial<typeof claim>, keep: number | null = keepMs) =>
      retentionOf(store, { ...claim, ...changes }, { ...keeping, keepMs: keep })
    await expect(lacking({ events: 20 })).rejects.toThrow(
      /has 21 events of 2024-03, and the files have 20/,
    )
    await expect(
      lacking({ exports: [{ first: 3, end: before.length, sha256: 'a'.repeat(64) }] }),
    ).rejects.toThrow(/the files have/)
    await expect(lacking({ impersonal: 1 })).rejects.toThrow(/1 events of 2024-03 are without who/)
    await expect(lacking({ month: '2024-02' })).rejects.toThrow(/is no month of the log/)
    await expect(lacking({}, 40 * keepMs)).rejects.toThrow(/are to be kept here still/)
    await expect(lacking({}, null)).rejects.toThrow(/keep is not set/)
  })

  test.each([
    ['the time', { from: new Date('2024-03-15T00:00:00Z'), to: new Date('2024-03-16T00:00:00Z') }],
    ['who acted', { subject: { issuer: agent.issuer, subject: agent.subject } }],
  ])('does not leave while a legal hold covers it, by %s', async (_, scope) => {
    const nothing = { from: null, to: null, subject: null, action: null }
    const asked = { ...nothing, ...scope, reason: 'case 2026-4, Smith against us' }
    const record = audit.write.bind(audit)
    const hold = await store.tx((tx) => createLegalHold(tx, (it) => record(tx, it), agent, asked))
    await expect(retentionOf(store, claim, keeping)).rejects.toThrow(
      `covered by legal hold ${hold.id}`,
    )
    // Elsewhere, or of somebody else, it covers nothing here.
    for (const other of [
      { from: new Date('2024-04-01T00:00:00Z') },
      { to: new Date('2024-03-01T00:00:00Z') },
      { subject: { issuer: agent.issuer, subject: 'somebody-else' } },
      { action: crypto.randomUUID() },
    ]) {
      const beside = { ...nothing, ...other, reason: 'another case' }
      await store.tx((tx) => createLegalHold(tx, (it) => record(tx, it), agent, beside))
    }
    const reason = 'the case was closed'
    const release = () =>
      store.tx((tx) => releaseLegalHold(tx, (it) => record(tx, it), agent, { id: hold.id, reason }))
    expect(await release()).toMatchObject({ releasedBy: { subject: agent.subject } })
    expect(await release()).toBeNull()
    expect(await retentionOf(store, claim, keeping)).toMatchObject({ month, events: 21 })
  })

  test('leaves once that is in the signed log, and every hash and every proof stays', async () => {
    const retention = await retentionOf(store, claim, keeping)
    await audit.append({ type: 'audit.retained', subject: agent, retention })
    await expect(drop()).rejects.toThrow(/no signed record/)
    await sequencer.seal()
    await drop()
    expect((await listMonths(store, keepMs)).map((one) => one.month)).not.toContain(month)
    // The space is free; doing it again changes nothing.
    await drop()
    await drop()

    const after = await exported(store)
    await sequencer.seal()
    const bare = after.filter((line) => line.includes('"leaf":'))
    expect(bare).toHaveLength(21)
    expect(after.filter((line) => line.includes('"month":"2023-01"'))).toHaveLength(1)
    const verified = await report(after)
    expect(verified).toMatchObject({ ok: true, retained: 21, signed: expect.anything() })
    expect(verified.findings).toMatchObject([
      { kind: 'retained', message: expect.stringContaining('21 events from') },
    ])
    expect(found(verified)).toEqual(await inPython(after))

    // Whoever has the export of then proves each of its events against the checkpoint of now.
    const { note, size } = (await readCheckpoint(store))!
    const { root } = openCheckpoint(note, await listSigningKeys(store))!
    for (const line of before.filter(isOfThen)) {
      const { index, hash } = JSON.parse(line) as { index: number; hash: string }
      const leaf = JSON.parse(bare.find((one) => one.includes(hash))!).leaf as string
      const proof = await proveInclusion(store, index, size)
      expect(rootOfInclusion(Buffer.from(leaf, 'hex'), index, size, proof)).toEqual(root)
    }
  })

  test('is explained also where the record itself is in no line of the export', async () => {
    const lines = (await exported(store)).slice(0, 15)
    const part = { first: 0, end: 15 }
    const manifest = await manifestOf(store, part)
    expect(manifest.retained).toHaveLength(1)
    const verified = await report(lines, part)
    expect(verified).toMatchObject({ ok: true, signed: expect.anything() })
    const at = lines.findIndex((line) => line.includes('"leaf":')) + 1
    expect(found(verified)).toEqual([`retained:${at}`])
    expect(await inPython(lines, part)).toEqual([`retained:${at}`])

    // A record that is not in the log explains nothing.
    const forged = structuredClone(manifest) as unknown as { retained: { line: string }[] }
    const { line } = manifest.retained![0]!
    forged.retained[0]!.line = line.replace('"month":"2024-03"', '"month":"2024-04"')
    const trust = { manifest: manifestFile.parse(forged), keys: manifest.keys, older: null }
    const refused = await verifyExport(each(lines), trust)
    expect(found(refused)).toEqual(
      expect.arrayContaining([`event-missing:${at}`, 'not-the-log:15']),
    )
  })

  test('alarms nobody who reads the log in another format', async () => {
    const text = async (format: 'ocsf' | 'cef' | 'csv') => {
      const lines: string[] = []
      for await (const part of exportText(store, { first: 0, end: 15 }, format)) lines.push(part)
      return lines.join('')
    }
    expect((await text('ocsf')).match(/"severity":"Informational"/g)!.length).toBeGreaterThan(10)
    expect(await text('ocsf')).not.toContain('Critical')
    expect(await text('cef')).toContain('|Kept elsewhere: only its hashes are here.|2|')
    expect((await text('csv')).trimEnd().split('\n')).toHaveLength(16)
  })

  test('a cut that no record explains is one, whatever the tables say', async () => {
    const lines = await exported(store)
    await sequencer.seal()
    const last = lines.findLastIndex((line) => line.includes('"type":"action.decided"'))
    const { index, id, seq, prev, hash } = JSON.parse(lines[last]!)
    const [kept] = await store.query<{ leaf: string }>(
      `SELECT encode(substring(leaves FROM (32 * ($3::bigint - first) + 1)::int FOR 32), 'hex') AS leaf
       FROM sallyport.audit_links WHERE replica = $1 AND epoch = $2 AND first <= $3 ORDER BY first DESC LIMIT 1`,
      [seq.replica, seq.epoch, seq.n],
    )
    const cut = JSON.stringify({ hash, id, index, leaf: kept!.leaf, prev, seq })
    const verified = await report(lines.with(last, cut))
    expect(verified.ok).toBe(false)
    expect(found(verified)).toContain(`event-missing:${last + 1}`)
    expect(await inPython(lines.with(last, cut))).toContain(`event-missing:${last + 1}`)
    // Nor does a leaf that is not the one that was linked.
    const forged = cut.replace(kept!.leaf, 'b'.repeat(64))
    expect(found(await report(lines.with(last, forged)))).toContain(`edited:${last + 1}`)
    expect(await inPython(lines.with(last, forged))).toContain(`edited:${last + 1}`)
  })

  test('an event is found in the log by its id, also when its month is not there', async () => {
    const { id, index } = JSON.parse(before[0]!) as { id: string; index: number }
    const now = new Date().toISOString().slice(0, 7).replace('-', '_')
    await asOwner(
      `ALTER TABLE sallyport.audit_events DETACH PARTITION sallyport.audit_events_${now}`,
    )
    expect(await indexOf(store, id)).toBe(index)
    expect(await indexOf(store, crypto.randomUUID())).toBeNull()
  })
})
