import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { canonical } from '../../../src/audit/canonical.ts'
import { leafHash, linkHash, type Place } from '../../../src/audit/chain.ts'
import { manifestOf } from '../../../src/audit/export/manifest.ts'
import { exportNdjson, openExport } from '../../../src/audit/export/ndjson.ts'
import { listSigningKeys, readCheckpoint } from '../../../src/audit/log/checkpoints.ts'
import { Sequencer } from '../../../src/audit/log/sequencer.ts'
import { verifyExport } from '../../../src/audit/verify.ts'
import type { JsonObject } from '../../../src/core/json.ts'
import { manifestFile } from '../../../src/audit/verify/signed-log.ts'
import { anIntent, quiet, startReplica } from '../../support/audit.ts'
import { python } from '../../support/python.ts'
import { atEnd, openTestStore } from '../../support/store.ts'

/**
 * Two verifiers that share no code read the same export: Sallyport's own, and the one in examples/verify, which was written from docs/audit.md. They have
 * to agree on what is in order, and on the first line that is not.
 */
describe('the verifier in Python', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-verify-'))
  const file = join(folder, 'export.ndjson')
  const olderFile = join(folder, 'older.txt')
  let lines: string[]
  let manifest: Awaited<ReturnType<typeof manifestOf>>
  let keys: string[]
  let older: string

  beforeAll(async () => {
    atEnd(async () => rmSync(folder, { recursive: true }))
    const store = await openTestStore()
    const { audit } = await startReplica(store)
    const signing = [generateKeyPairSync('ed25519').privateKey]
    const sequencer = new Sequencer({ store, signing, audit, log: quiet })
    const numbers = [0, -0.5, 1e21, 1e-7, 123456789012345680000, 0.1, 1 / 3, 5e-324, 4.35, 100]
    for (const [i, number] of numbers.entries()) {
      const json = { number, [`ключ ${i}`]: '\u2028 "\\\n\u0001 😀', 10: 'ten', 9: 'nine' }
      await audit.append(anIntent({ attributes: { http: { json } } }))
    }
    await sequencer.seal()
    older = (await readCheckpoint(store))!.note
    for (let i = 0; i < 20; i++) {
      const outcome = { result: 'succeeded', duration_ms: i / 7 } as const
      await audit.append({ type: 'action.completed', resource: 'crm', outcome })
    }
    await sequencer.seal()
    await sequencer.close()
    const part = await openExport(store)
    lines = []
    for await (const line of exportNdjson(store, part)) lines.push(line)
    manifest = await manifestOf(store, part)
    keys = await listSigningKeys(store)
    writeFileSync(olderFile, older)
  })

  async function* each(all: readonly string[]) {
    yield* all
  }

  /** The first thing that is wrong, as `kind:line`, by each of them. */
  async function both(
    changed: readonly string[],
    trust: { keys?: string[]; checkpoint?: string } = {},
  ) {
    const checked = { ...manifest, ...(trust.checkpoint && { checkpoint: trust.checkpoint }) }
    writeFileSync(file, `${changed.join('\n')}\n`)
    writeFileSync(`${file}.manifest.json`, JSON.stringify(checked))
    const own = await verifyExport(each(changed), {
      manifest: manifestFile.parse(checked),
      keys: trust.keys ?? keys,
      older,
    })
    const [first] = own.findings.map(({ kind, line }) => `${kind}:${line}`)
    const args = (trust.keys ?? keys).flatMap((key) => ['--key', key])
    const other = await python([
      'examples/verify/verify.py',
      file,
      '--checkpoint',
      olderFile,
      ...args,
    ])
      .then(() => undefined)
      .catch((error: { code: number; stdout: string }) => {
        if (error.code !== 1) throw error
        const [, line, kind] = /^line (\d+): ([a-z-]+):/m.exec(error.stdout) ?? []
        return `${kind}:${line}`
      })
    return { own: first, python: other }
  }

  /** One line, changed by somebody who writes as an export does. */
  function changed(index: number, change: (line: JsonObject) => JsonObject): string[] {
    return lines.with(index, canonical(change(JSON.parse(lines[index]!) as JsonObject)))
  }

  /** With the hash that it has now. */
  function hashed(line: JsonObject): JsonObject {
    const { attributes: _a, details: _d, subject: _s, salt: _t, index: _i, ...rest } = line
    const { seq, prev, hash: _h, ...body } = rest
    const hash = linkHash(seq as unknown as Place, prev as string, leafHash(canonical(body)))
    return { ...line, hash }
  }

  test('accepts what was recorded, whatever characters and numbers are in it', async () => {
    expect(await both(lines)).toEqual({ own: undefined, python: undefined })
  })

  test.each([
    [
      'an event that was changed',
      () => lines.with(3, lines[3]!.replace('"crm"', '"hr"')),
      'edited:4',
    ],
    [
      'a personal part that was changed',
      () => lines.with(3, lines[3]!.replace('alice', 'mallory')),
      'personal-edited:4',
    ],
    ['a line that is no canonical JSON', () => lines.with(3, ` ${lines[3]}`), 'unreadable:4'],
    ['an event that was taken out', () => lines.toSpliced(5, 1), 'missing:6'],
    ['an end that was cut off', () => lines.slice(0, -2), undefined],
    ['a salt that is none', () => changed(3, (line) => ({ ...line, salt: 'zz' })), undefined],
    ['a time that is none', () => changed(3, (line) => hashed({ ...line, time: 5 })), 'edited:4'],
    [
      'a time that is not there',
      () => changed(3, ({ time: _, ...line }) => hashed(line)),
      'forked:5',
    ],
    ['an event that was put in again', () => lines.toSpliced(5, 0, lines[4]!), undefined],
  ])('names %s, as the other one does', async (_, change, expected) => {
    const found = await both(change())
    if (expected) expect(found).toEqual({ own: expected, python: expected })
    else {
      expect(found.own!.split(':')[1]).toBe(found.python!.split(':')[1])
    }
  })

  test.each([
    ['is no base64', '!!!'],
    ['is cut off', 'AAAA'],
    ['is not there', ''],
  ])('refuses a checkpoint whose signature %s', async (_, signature) => {
    const { checkpoint: note } = manifest
    const checkpoint = note.replace(/(— \S+ )\S+/g, `$1${signature}`)
    const unsigned = `unsigned:${lines.length}`
    expect(await both(lines, { checkpoint })).toEqual({ own: unsigned, python: unsigned })
  })

  test('refuses a checkpoint that another key signed', async () => {
    const { publicKey } = generateKeyPairSync('ed25519')
    const { verifierKey } = await import('../../../src/audit/log/checkpoint.ts')
    const another = verifierKey(older.split('\n')[0]!, publicKey)
    const found = await both(lines, { keys: [another] })
    expect(found).toEqual({ own: `unsigned:${lines.length}`, python: `unsigned:${lines.length}` })
  })
})
