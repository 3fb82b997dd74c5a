import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { beforeAll, describe, expect, test } from 'vitest'
import { canonical } from '../../../src/audit/canonical.ts'
import { leafHash, linkHash, type Place } from '../../../src/audit/chain.ts'
import { manifestOf } from '../../../src/audit/export/manifest.ts'
import { exportNdjson, openExport } from '../../../src/audit/export/ndjson.ts'
import { verifierKey } from '../../../src/audit/log/checkpoint.ts'
import { listSigningKeys, readCheckpoint } from '../../../src/audit/log/checkpoints.ts'
import { Sequencer } from '../../../src/audit/log/sequencer.ts'
import { verifyExport } from '../../../src/audit/verify.ts'
import type { JsonObject } from '../../../src/core/json.ts'
import { readLines } from '../../../src/audit/verify/lines.ts'
import { manifestFile } from '../../../src/audit/verify/signed-log.ts'
import { anIntent, quiet, startReplica } from '../../support/audit.ts'
import { python } from '../../support/python.ts'
import { atEnd, openTestStore } from '../../support/store.ts'

/** Runs the verifier with each list of arguments, and prints what it says and its exit code, divided by NUL. */
const eachRun = `
import json, sys
sys.path.insert(0, 'examples/verify')
import verify
for i, arguments in enumerate(json.loads(sys.argv[1])):
    print('\\0' if i else '', end='')
    sys.argv = ['verify.py', *arguments]
    print(verify.main())
`

/**
 * Two verifiers that share no code read the same export: Sallyport's own, and the one in examples/verify, which was written from docs/audit.md. They have
 * to agree on what is in order, and on the first line that is not.
 */
describe('the verifier in Python', () => {
  const folder = mkdtempSync(join(tmpdir(), 'sallyport-verify-'))
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

  async function* inOne(bytes: Uint8Array) {
    yield Buffer.from(bytes)
  }

  interface Case {
    readonly export: readonly string[] | Uint8Array
    readonly keys?: readonly string[]
    readonly checkpoint?: string
    /** The first thing that is wrong, as `kind:line`; `none` where nothing is. */
    readonly expected: string
  }

  /** What each of them says to each case; the other one in one run, since starting it takes longer than verifying. */
  async function agreeOn(cases: Readonly<Record<string, Case>>) {
    const own: Record<string, string> = {}
    const runs: string[][] = []
    for (const [i, [name, one]] of Object.entries(cases).entries()) {
      const file = join(folder, `${i}.ndjson`)
      const bytes =
        one.export instanceof Uint8Array ? one.export : Buffer.from(`${one.export.join('\n')}\n`)
      const checked = { ...manifest, ...(one.checkpoint && { checkpoint: one.checkpoint }) }
      const trusted = one.keys ?? keys
      writeFileSync(file, bytes)
      writeFileSync(`${file}.manifest.json`, JSON.stringify(checked))
      runs.push([file, '--checkpoint', olderFile, ...trusted.flatMap((key) => ['--key', key])])
      const trust = { manifest: manifestFile.parse(checked), keys: trusted, older }
      const { findings } = await verifyExport(readLines(inOne(bytes)), trust)
      own[name] = findings[0] ? `${findings[0].kind}:${findings[0].line}` : 'none'
    }
    const { stdout } = await python(['-c', eachRun, JSON.stringify(runs)])
    const said = stdout.split('\0').map((text, i) => {
      const [, line, kind] = /^line (\d+): ([a-z-]+):/m.exec(text) ?? []
      expect(text).toMatch(kind ? /\n1\n$/ : /\n0\n$/)
      return [Object.keys(cases)[i], kind ? `${kind}:${line}` : 'none'] as const
    })
    const expected = Object.fromEntries(
      Object.entries(cases).map(([name, one]) => [name, one.expected]),
    )
    expect(own).toEqual(expected)
    expect(Object.fromEntries(said)).toEqual(expected)
  }

  /** One line, changed by somebody who writes as an export does. */
  function changed(index: number, change: (line: JsonObject) => JsonObject): string[] {
    return lines.with(index, canonical(change(JSON.parse(lines.at(index)!) as JsonObject)))
  }

  /** With the hash that it has now. */
  function hashed(line: JsonObject): JsonObject {
    const { attributes: _a, details: _d, subject: _s, salt: _t, index: _i, ...rest } = line
    const { seq, prev, hash: _h, ...body } = rest
    const hash = linkHash(seq as unknown as Place, prev as string, leafHash(canonical(body)))
    return { ...line, hash }
  }

  const replicaOf = ({ seq }: JsonObject) => (seq as JsonObject)['replica'] as string
  const writtenOtherwise = (index: number, name: 'hash' | 'salt') =>
    changed(index, (line) => ({ ...line, [name]: (line[name] as string).toUpperCase() }))
  const placed = (line: JsonObject, more: JsonObject) => ({
    ...line,
    seq: { ...(line['seq'] as JsonObject), ...more },
  })

  test('accepts what was recorded, whatever characters and numbers are in it', async () => {
    await agreeOn({ whole: { export: lines, expected: 'none' } })
  })

  test('names what was changed, taken out, put in and moved, as the other one does', async () => {
    const found = (expected: string, one: readonly string[]) => ({ export: one, expected })
    await agreeOn({
      'an event': found('edited:4', lines.with(3, lines[3]!.replace('"crm"', '"hr"'))),
      'a personal part': found(
        'personal-edited:4',
        lines.with(3, lines[3]!.replace('alice', 'mallory')),
      ),
      'a line that is no canonical JSON': found('unreadable:4', lines.with(3, ` ${lines[3]}`)),
      'a line that is no event': found('edited:4', lines.with(3, '{}')),
      'taken out': found('missing:6', lines.toSpliced(5, 1)),
      'the first two taken out': found('missing:1', lines.slice(2)),
      'an end that was cut off': found('missing:30', lines.slice(0, -2)),
      'put in again': found('duplicate:6', lines.toSpliced(5, 0, lines[4]!)),
      'put in in the place of another': found('duplicate:6', lines.with(5, lines[4]!)),
      exchanged: found('reordered:6', lines.with(5, lines[6]!).with(6, lines[5]!)),
      'the first one moved to the end': found('reordered:31', [...lines.slice(1), lines[0]!]),
    })
  })

  test('names what is written in another way, also where it is in no hash', async () => {
    const found = (
      expected: string,
      index: number,
      change: (line: JsonObject) => JsonObject,
    ): Case => ({ export: changed(index, change), expected })
    await agreeOn({
      'a time that is none': found('edited:4', 3, (line) => hashed({ ...line, time: 5 })),
      'a time that is not there': found('forked:5', 3, ({ time: _, ...line }) => hashed(line)),
      'a salt that is none': found('edited:4', 3, (line) => ({ ...line, salt: 'zz' })),
      'a place that is none': found('edited:4', 3, (line) => placed(line, { n: '4' })),
      'a replica that is none': found('edited:4', 3, (line) => placed(line, { replica: null })),
      'an index that is none': found('edited:2', 1, (line) => ({ ...line, index: true })),
      'another index, of the last one': found('reordered:31', -1, (line) => ({
        ...line,
        index: 5,
      })),
      'a hash in capitals': { export: writtenOtherwise(-1, 'hash'), expected: 'edited:31' },
      'a salt in capitals': { export: writtenOtherwise(5, 'salt'), expected: 'edited:6' },
      'a replica in capitals': found('edited:31', -1, (line) =>
        placed(line, { replica: replicaOf(line).toUpperCase() }),
      ),
    })
  })

  test('names bytes that are no text', async () => {
    const whole = Buffer.from(`${lines.join('\n')}\n`)
    const at = whole.indexOf('\u2028')
    const line = whole.subarray(0, at).toString().split('\n').length
    await agreeOn({ damaged: { export: whole.with(at, 0xff), expected: `unreadable:${line}` } })
  })

  test('concludes nothing from a manifest that is none, and from a file that is cut off', async () => {
    const file = join(folder, 'whole.ndjson')
    writeFileSync(file, lines.join('\n'))
    const packed = gzipSync(lines.join('\n'))
    const broken = {
      'cut-off.ndjson.gz': packed.subarray(0, 500),
      'damaged.ndjson.gz': packed.fill(7, 500),
    }
    const runs = Object.entries(broken).map(([name, bytes]) => {
      writeFileSync(join(folder, name), bytes)
      return [join(folder, name), '--manifest', join(folder, 'manifest.json')]
    })
    writeFileSync(join(folder, 'manifest.json'), JSON.stringify(manifest))
    const changes = [{ first: '0' }, { end: -1 }, { before: null }, { after: ['x'] }, { keys: 5 }]
    const more = [{ retained: 7 }, { retained: [{}] }, { consistency: [] }, { format: 'another' }]
    for (const [i, change] of [...changes, ...more].entries()) {
      const beside = join(folder, `none-${i}.json`)
      writeFileSync(beside, JSON.stringify({ ...manifest, ...change }))
      runs.push([file, '--manifest', beside])
    }
    const { stdout } = await python(['-c', eachRun, JSON.stringify(runs)])
    expect(stdout.split('\0')).toEqual(runs.map(() => '2\n'))
  })

  test('refuses a checkpoint that no trusted key signed', async () => {
    const { publicKey } = generateKeyPairSync('ed25519')
    const another = verifierKey(older.split('\n')[0]!, publicKey)
    const unsigned = `unsigned:${lines.length}`
    const signedWith = (signature: string): Case => ({
      export: lines,
      checkpoint: manifest.checkpoint.replace(/(— \S+ )\S+/g, `$1${signature}`),
      expected: unsigned,
    })
    await agreeOn({
      'no base64': signedWith('!!!'),
      'cut off': signedWith('AAAA'),
      'not there': signedWith(''),
      'another key': { export: lines, keys: [another], expected: unsigned },
    })
  })
})
