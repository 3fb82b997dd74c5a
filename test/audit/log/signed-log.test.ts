import { generateKeyPairSync } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { exportNdjson, openExport } from '../../../src/audit/export/ndjson.ts'
import { manifestOf } from '../../../src/audit/export/manifest.ts'
import type { Part } from '../../../src/audit/export/stretches.ts'
import { openCheckpoint, signCheckpoint } from '../../../src/audit/log/checkpoint.ts'
import { listSigningKeys, readCheckpoint } from '../../../src/audit/log/checkpoints.ts'
import { indexOf, proveConsistency, proveInclusion } from '../../../src/audit/log/prove.ts'
import { takeTurn } from '../../../src/audit/log/sequence.ts'
import { rootOfInclusion, rootsOfConsistency } from '../../../src/audit/log/proof.ts'
import { Sequencer } from '../../../src/audit/log/sequencer.ts'
import { leafHash } from '../../../src/audit/chain.ts'
import { canonical } from '../../../src/audit/canonical.ts'
import { verifyExport } from '../../../src/audit/verify.ts'
import { manifestFile } from '../../../src/audit/verify/signed-log.ts'
import type { Store } from '../../../src/store/db.ts'
import { anIntent, quiet, startReplica, until, type TestReplica } from '../../support/audit.ts'
import { openTestStore, storeKinds } from '../../support/store.ts'

const signing = [generateKeyPairSync('ed25519').privateKey]

describe.each(storeKinds)('the transparency log of the %s store', (kind) => {
  let store: Store
  let replicas: TestReplica[]
  let keys: string[]
  /** As an auditor kept it, when the log was younger. */
  let kept: string

  beforeAll(async () => {
    store = await openTestStore(kind)
    replicas = [await startReplica(store), await startReplica(store)]
    await grow(300)
    kept = await sign()
    await grow(400)
    await sign()
    keys = await listSigningKeys(store)
  })

  /** Events of both replicas, some of them in one transaction with something else. */
  async function grow(events: number): Promise<void> {
    await Promise.all(
      Array.from({ length: events }, (_, i) => {
        const { audit } = replicas[i % 2]!
        return i % 50 === 7
          ? store.tx((tx) => audit.write(tx, anIntent()))
          : audit.append(anIntent())
      }),
    )
    for (const { audit } of replicas) audit.linkWritten()
    await allLinked()
  }

  async function allLinked(): Promise<void> {
    await until(
      async () => (await store.query('SELECT FROM sallyport.audit_unlinked')).length === 0,
    )
  }

  async function sign(): Promise<string> {
    const sequencer = new Sequencer({
      store,
      signing,
      audit: replicas[0]!.audit,
      log: quiet,
    })
    await sequencer.close()
    return (await readCheckpoint(store))!.note
  }

  async function exportOf(part: Part, older: number | null = null) {
    const lines: string[] = []
    for await (const line of exportNdjson(store, part)) lines.push(line)
    const manifest = manifestFile.parse(
      JSON.parse(JSON.stringify(await manifestOf(store, part, older))),
    )
    return { lines, manifest }
  }

  async function* each(lines: readonly string[]) {
    yield* lines
  }

  test('has every event of both replicas, once', async () => {
    const { first, end } = await openExport(store)
    const { size } = openCheckpoint(await sign(), keys)!
    expect([first, end <= size]).toEqual([0, true])
    const [count] = await store.query<{ events: number }>(
      'SELECT count(*) AS events FROM sallyport.audit_events',
    )
    expect(count!.events).toBe(size)
  })

  test('an export is held against the checkpoint that was signed, and against an older one', async () => {
    const part = await openExport(store)
    await sign()
    const { lines, manifest } = await exportOf(part)
    const report = await verifyExport(each(lines), { manifest, keys, older: kept })
    expect(report).toMatchObject({ ok: true, findings: [], lines: part.end })
    expect(report.signed!.size).toBeGreaterThanOrEqual(part.end)
    expect(report.chains).toHaveLength(2)
  })

  test('so is a part from the middle, with the subtrees beside it', async () => {
    const { size } = openCheckpoint(kept, keys)!
    const part = await openExport(store)
    const stretches = await store.query<{ start: number }>(
      'SELECT start FROM sallyport.audit_tree_stretches ORDER BY start',
    )
    const starts = stretches.map(({ start }) => start).filter((start) => start > 3)
    for (const first of [starts[0]!, starts[3]!, starts.at(-1)!]) {
      const middle = { first, end: part.end }
      const { lines, manifest } = await exportOf(middle, size)
      const trust = { manifest, keys, older: kept }
      expect(await verifyExport(each(lines), trust)).toMatchObject({ ok: true, findings: [] })
    }
  })

  describe('somebody with full rights over the database', () => {
    let lines: string[]
    let manifest: Awaited<ReturnType<typeof exportOf>>['manifest']
    const verify = (changed: string[], trust = {}) =>
      verifyExport(each(changed), { manifest, keys, older: kept, ...trust })

    beforeAll(async () => {
      const part = await openExport(store)
      await sign()
      ;({ lines, manifest } = await exportOf(part))
    })

    test('changes an event: its line is named', async () => {
      const report = await verify(lines.with(20, lines[20]!.replace('"crm"', '"hr"')))
      expect(report.findings[0]).toMatchObject({ kind: 'edited', line: 21 })
    })

    test('takes events out, also the last of a chain: the gap is named', async () => {
      const middle = await verify(lines.toSpliced(20, 2))
      expect(middle).toMatchObject({ ok: false, findings: [{ kind: 'missing' }] })
      const tail = await verify(lines.slice(0, -3))
      expect(tail.findings).toEqual([
        {
          kind: 'missing',
          line: lines.length - 2,
          message: `Events ${lines.length - 3} to ${lines.length - 1} of the log are missing.`,
        },
      ])
    })

    test('exchanges events of two chains that follow each other: both are named', async () => {
      const chain = (line: string) => (JSON.parse(line) as { seq: { replica: string } }).seq.replica
      const at = lines.findIndex((line, i) => i > 0 && chain(line) !== chain(lines[i - 1]!))
      const swapped = lines.with(at, lines[at - 1]!).with(at - 1, lines[at]!)
      const report = await verify(swapped)
      expect(report.findings.map(({ kind, line }) => `${kind}:${line}`)).toEqual([
        `reordered:${at}`,
        `reordered:${at + 1}`,
      ])
    })

    test('writes a whole new log that agrees with itself: it is not the one that was signed', async () => {
      const other = await openTestStore(kind)
      const replica = await startReplica(other)
      for (let i = 0; i < 3; i++) await replica.audit.append(anIntent())
      const forged: string[] = []
      for await (const line of exportNdjson(other, await openExport(other))) forged.push(line)
      expect(await verifyExport(each(forged))).toMatchObject({ ok: true })
      const report = await verify(forged, { manifest: { ...manifest, end: 3 } })
      expect(report.findings.at(-1)).toMatchObject({ kind: 'not-the-log' })
    })

    test('signs what is left with a key of their own: no key that was kept has signed it', async () => {
      const { privateKey } = generateKeyPairSync('ed25519')
      const said = openCheckpoint(manifest.checkpoint, keys)!
      const checkpoint = signCheckpoint(said, [privateKey])
      const report = await verify(lines, { manifest: { ...manifest, checkpoint } })
      expect(report.findings).toMatchObject([{ kind: 'unsigned' }])
    })

    test('goes back to an older state of the log: the checkpoint that was kept is ahead of it', async () => {
      const said = openCheckpoint(manifest.checkpoint, keys)!
      const ahead = signCheckpoint({ ...said, size: said.size + 10 }, signing)
      const report = await verify(lines, { older: ahead })
      expect(report.findings).toMatchObject([{ kind: 'rewritten' }])
      expect(report.findings[0]!.message).toContain('cut off')
    })

    test('rewrites history under the true key: the older checkpoint does not fit', async () => {
      const said = openCheckpoint(kept, keys)!
      const other = signCheckpoint({ ...said, root: Buffer.alloc(32, 7) }, signing)
      const report = await verify(lines, { older: other })
      expect(report.findings).toMatchObject([{ kind: 'rewritten' }])
    })
  })

  test('proves that an event is in it, and that it grew out of what it was', async () => {
    const { size, root } = openCheckpoint(await sign(), keys)!
    const old = openCheckpoint(kept, keys)!
    const { lines } = await exportOf({ first: 0, end: size })
    for (const at of [0, 1, 255, 256, 257, size - 1]) {
      const {
        id,
        attributes: _,
        details: __,
        subject: ___,
        salt: ____,
        ...rest
      } = JSON.parse(lines[at]!)
      const { index, seq: _____, prev: ______, hash: _______, ...body } = rest
      expect([index, await indexOf(store, id)]).toEqual([at, at])
      const leaf = Buffer.from(leafHash(canonical({ id, ...body })), 'hex')
      expect(rootOfInclusion(leaf, at, size, await proveInclusion(store, at, size))).toEqual(root)
    }
    const proof = await proveConsistency(store, old.size, size)
    expect(rootsOfConsistency(old.size, size, old.root, proof)).toEqual({
      older: old.root,
      newer: root,
    })
    await expect(proveInclusion(store, size, size)).rejects.toMatchObject({ code: 'bad-request' })
    await expect(proveConsistency(store, 1, size + 1_000)).rejects.toMatchObject({
      code: 'bad-request',
    })
  })

  test('a tree of one size has one root: another one cannot even be kept', async () => {
    const before = await readCheckpoint(store)
    await expect(
      store.query(
        `INSERT INTO sallyport.audit_checkpoints AS c (size, root, note, signed_at)
         VALUES ($1, $2, 'forged', clock_timestamp())
         ON CONFLICT (size) DO UPDATE SET note = excluded.note, root = excluded.root`,
        [before!.size, Buffer.alloc(32)],
      ),
    ).rejects.toThrow()
    expect(await readCheckpoint(store)).toEqual(before)
  })

  test('a rotated key signs beside the old one, and is itself in the log: who knows the old one follows', async () => {
    const newest = generateKeyPairSync('ed25519').privateKey
    const sequencer = new Sequencer({
      store,
      signing: [newest, ...signing],
      audit: replicas[0]!.audit,
      log: quiet,
    })
    await sequencer.close()
    const { note } = (await readCheckpoint(store))!
    const all = await listSigningKeys(store)
    expect(all).toHaveLength(2)
    for (const key of all) expect(openCheckpoint(note, [key])).not.toBeNull()
    await allLinked()

    const part = await openExport(store)
    await sign()
    const { lines, manifest } = await exportOf(part)
    const report = await verifyExport(each(lines), { manifest, keys: [all[0]!], older: kept })
    expect(report).toMatchObject({ ok: true, findings: [] })
    const said = lines
      .map((line) => JSON.parse(line))
      .filter(({ type }) => type === 'audit.signing_key_used')
    expect(said.map(({ details }) => details.key)).toEqual(all)
  })

  test('several that want the turn at once add each link once', async () => {
    await grow(100)
    const sequencers = Array.from({ length: 4 }, () => sign())
    await Promise.all(sequencers)
    const [counted] = await store.query<{ links: number; leaves: number; size: number }>(
      `SELECT (SELECT sum(cardinality(events)) FROM sallyport.audit_links)::int AS links,
              (SELECT sum(count) FROM sallyport.audit_tree_stretches)::int AS leaves,
              (SELECT size FROM sallyport.audit_tree)::int AS size`,
    )
    expect(new Set(Object.values(counted!)).size).toBe(1)
  })
})

test.runIf(storeKinds.includes('embedded'))(
  'the log does not go on behind a link that somebody took away',
  async () => {
    const store = await openTestStore('embedded')
    const { audit } = await startReplica(store)
    for (let i = 0; i < 5; i++) await audit.append(anIntent())
    await store.tx(async (tx) => {
      await tx.query('SET LOCAL ROLE postgres')
      await tx.query('ALTER TABLE sallyport.audit_links DISABLE TRIGGER append_only')
      await tx.query('DELETE FROM sallyport.audit_links WHERE first = 3')
    })
    expect(await takeTurn(store, 0)).toMatchObject({ size: 2 })
    expect(await takeTurn(store, 0)).toMatchObject({ size: 2 })
  },
)
