import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { manifestOf } from '../../../src/audit/export/manifest.ts'
import { listSigningKeys } from '../../../src/audit/log/checkpoints.ts'
import { Sequencer } from '../../../src/audit/log/sequencer.ts'
import { contentsOf } from '../../../src/audit/retention/contents.ts'
import { listMonths } from '../../../src/audit/retention/months.ts'
import { retentionOf } from '../../../src/audit/retention/retain.ts'
import { verifyExport } from '../../../src/audit/verify.ts'
import { manifestFile } from '../../../src/audit/verify/signed-log.ts'
import { agent, anIntent, exported, quiet, startReplica } from '../../support/audit.ts'
import { openOwnedStore } from '../../support/owned-store.ts'
import { dropStep, provideMonth, replicaOfThen } from '../../support/past.ts'
import { python } from '../../support/python.ts'
import { atEnd, storeKinds } from '../../support/store.ts'

const month = '2024-03'
const keepMs = 400 * 86_400_000
const keeping = { keepMs, deliveries: [] }

describe.each(storeKinds)('what comes late into a month, in the %s store', (kind) => {
  async function scene() {
    const { store, asOwner } = await openOwnedStore(kind)
    await provideMonth(asOwner, month)
    const { audit } = await startReplica(store)
    const signing = [generateKeyPairSync('ed25519').privateKey]
    const sequencer = new Sequencer({ store, signing, audit, log: quiet })
    atEnd(() => sequencer.close())
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-late-'))
    atEnd(async () => rmSync(folder, { recursive: true }))
    return {
      store,
      /** So many events of then, by a replica whose clock says so. */
      async happen(events: number): Promise<void> {
        const then = await replicaOfThen(store, new Date('2024-03-15T12:00:00Z'))
        for (let i = 0; i < events; i++) await then.append(anIntent({ resource: 'of-then' }))
        await then.close()
        await sequencer.seal()
      },
      async record(): Promise<void> {
        const { events, impersonal, indexes } = await contentsOf(store, month)
        const exports = [{ first: 0, end: indexes.at(-1)!.end, sha256: 'a'.repeat(64) }]
        const claim = { month, events, impersonal, exports }
        const retention = await retentionOf(store, claim, keeping)
        await audit.append({ type: 'audit.retained', subject: agent, retention })
      },
      seal: () => sequencer.seal(),
      async drop(): Promise<void> {
        for (let step = 0; step < 3; step++) await dropStep(asOwner, month)
      },
      listed: async () => (await listMonths(store, keepMs)).find((one) => one.month === month),
      ofThen: async () => (await exported(store)).filter((it) => it.includes('"of-then"')).length,
      /** How many events both verifiers find kept elsewhere, where nothing else is to be said. */
      async keptElsewhere(): Promise<number> {
        const lines = await exported(store)
        await sequencer.seal()
        const manifest = await manifestOf(store, { first: 0, end: lines.length })
        const text = JSON.stringify(manifest)
        const report = await verifyExport(Readable.from(lines), {
          manifest: manifestFile.parse(JSON.parse(text)),
          keys: await listSigningKeys(store),
          older: null,
        })
        expect(report).toMatchObject({ ok: true, signed: expect.anything() })
        const file = join(folder, 'export.ndjson')
        writeFileSync(file, `${lines.join('\n')}\n`)
        writeFileSync(`${file}.manifest.json`, text)
        const { stdout } = await python(['examples/verify/verify.py', file])
        const counted = [...stdout.matchAll(/retained: (\d+) events/g)]
        expect(counted.reduce((sum, [, events]) => sum + Number(events), 0)).toBe(report.retained)
        return report.retained
      },
    }
  }

  test('is never lost, be it as many as have left: it leaves when it is on record itself', async () => {
    const { store, happen, record, seal, drop, listed, ofThen, keptElsewhere } = await scene()
    await happen(2)
    // However many statements it takes to look at it.
    expect(await contentsOf(store, month, 1)).toEqual(await contentsOf(store, month))
    await record()
    await seal()
    await drop()
    expect(await listed()).toBeUndefined()
    expect(await ofThen()).toBe(0)

    await happen(2)
    expect(await listed()).toMatchObject({ due: true, recorded: false, late: true })
    await expect(drop()).rejects.toThrow('events came into 2024-03 that no record says')
    expect(await ofThen()).toBe(2)
    expect(await keptElsewhere()).toBe(2)

    await record()
    expect(await listed()).toMatchObject({ recorded: true, late: false })
    await expect(drop()).rejects.toThrow('no signed record says that 2024-03')
    await seal()
    await drop()
    expect(await listed()).toBeUndefined()
    expect(await ofThen()).toBe(0)
    expect(await keptElsewhere()).toBe(4)
  })

  test('keeps a month that is on record here until it is on record, too', async () => {
    const { store, happen, record, seal, drop, listed, ofThen, keptElsewhere } = await scene()
    await happen(3)
    await record()
    await seal()
    expect(await listed()).toMatchObject({ recorded: true })
    await happen(1)
    expect(await listed()).toMatchObject({ recorded: false, late: true })
    await expect(drop()).rejects.toThrow('events came into 2024-03 that no record says')
    const { indexes, events } = await contentsOf(store, month)
    expect(events).toBe(4)
    // Files that have what was there at first are not enough.
    const claim = { month, events: 3, impersonal: 0 }
    const exports = [{ first: 0, end: indexes[0]!.end, sha256: 'a'.repeat(64) }]
    await expect(retentionOf(store, { ...claim, exports }, keeping)).rejects.toThrow(
      'The database has 4 events of 2024-03, and the files have 3 of them.',
    )
    await record()
    await seal()
    await drop()
    expect(await ofThen()).toBe(0)
    expect(await keptElsewhere()).toBe(4)
  })

  test('and a month of which nothing was there is no reason to let anything go', async () => {
    const { store, record, happen, seal, drop, ofThen } = await scene()
    const nothing = { month, events: 0, impersonal: 0, exports: [] }
    expect(await retentionOf(store, nothing, keeping)).toMatchObject({ events: 0, indexes: [] })
    await happen(1)
    await expect(drop()).rejects.toThrow('no signed record says that 2024-03')
    await record()
    await seal()
    await happen(1)
    await expect(drop()).rejects.toThrow('events came into 2024-03')
    expect(await ofThen()).toBe(2)
  })
})
