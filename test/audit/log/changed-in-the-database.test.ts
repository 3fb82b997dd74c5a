import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { beforeAll, describe, expect, test } from 'vitest'
import { manifestOf } from '../../../src/audit/export/manifest.ts'
import { exportNdjson } from '../../../src/audit/export/ndjson.ts'
import { partOf } from '../../../src/audit/export/stretches.ts'
import { listSigningKeys, readCheckpoint } from '../../../src/audit/log/checkpoints.ts'
import { Sequencer } from '../../../src/audit/log/sequencer.ts'
import { verifyExport } from '../../../src/audit/verify.ts'
import { manifestFile } from '../../../src/audit/verify/signed-log.ts'
import type { Queryable, Store } from '../../../src/store/db.ts'
import { anIntent, quiet, startReplica } from '../../support/audit.ts'
import { openOwnedStore, withoutTriggers } from '../../support/owned-store.ts'
import { python } from '../../support/python.ts'
import { atEnd, storeKinds } from '../../support/store.ts'

/** Runs the verifier with each list of arguments, and prints what it says, divided by NUL. */
const eachRun = `
import json, sys
sys.path.insert(0, 'examples/verify')
import verify
for i, arguments in enumerate(json.loads(sys.argv[1])):
    print('\\0' if i else '', end='')
    sys.argv = ['verify.py', *arguments]
    print(verify.main())
`

const events = 'sallyport.audit_events'
const links = 'sallyport.audit_links'
const stretches = 'sallyport.audit_tree_stretches'
const checkpoints = 'sallyport.audit_checkpoints'
const newest = `WHERE size = (SELECT max(size) FROM ${checkpoints})`
const nth = (n: number) => `WHERE id = (SELECT id FROM ${events} ORDER BY id OFFSET ${n} LIMIT 1)`
const nthLink = (n: number) =>
  `WHERE (replica, epoch, first) = (SELECT replica, epoch, first FROM ${links} ORDER BY linked_at, first OFFSET ${n} LIMIT 1)`
const nthStretch = (n: number) =>
  `WHERE start = (SELECT start FROM ${stretches} ORDER BY start OFFSET ${n} LIMIT 1)`
const oneReplica = 'SELECT min(replica::text)::uuid FROM sallyport.replicas'
const hidden = (table: string, from: string) => [
  `ALTER TABLE ${table} ENABLE ROW LEVEL SECURITY`,
  `CREATE POLICY only_some ON ${table} USING (${from})`,
]
const of = (columns: string, n: number) =>
  `(${columns}) = (SELECT ${columns} FROM ${events} ${nth(n)})`
/** A record that all of it is kept elsewhere. */
const record = JSON.stringify({
  ...{ type: 'audit.retained', retention: { month: '2024-03', events: 40, exports: [] } },
})
const claim = `convert_to(replace('${record}', '"events"', '"indexes":[{"first":0,"end":40}],"events"'), 'UTF8')`
const forged = (place: string) =>
  `INSERT INTO ${events} (id, time, type, replica, epoch, n, body)
   SELECT id, time, 'audit.retained', ${place}, ${claim} FROM (
     SELECT overlay(id::text PLACING 'ffff' FROM 25)::uuid AS id, time, replica, epoch, n FROM ${events} ${nth(9)}) e`

/** What is done, and the first thing that verifiers say: `none` where it changes nothing that is on record. */
const edits: Readonly<Record<string, readonly [expected: string, ...sql: string[]]>> = {
  'a month is detached': [
    'event-missing',
    `DO $$ DECLARE month text; BEGIN
       FOR month IN SELECT DISTINCT tableoid::regclass FROM ${events} LOOP
         EXECUTE 'ALTER TABLE ${events} DETACH PARTITION ' || month;
       END LOOP;
     END $$`,
  ],
  'links are hidden from the gateway': [
    'missing',
    ...hidden(links, `first <> 3 OR replica <> (${oneReplica})`),
  ],
  'stretches are hidden from the gateway': ['missing', ...hidden(stretches, 'start < 20')],
  'events are hidden from the gateway': ['event-missing', ...hidden(events, "reason <> 'secret'")],
  'the newest checkpoint is taken away': ['refused', `DELETE FROM ${checkpoints} ${newest}`],
  'all but the first checkpoint are hidden': ['refused', ...hidden(checkpoints, 'size < 20')],
  'the newest checkpoint has the note of an older one': [
    'not-the-log',
    `UPDATE ${checkpoints} SET note = (SELECT note FROM ${checkpoints} ORDER BY size LIMIT 1) ${newest}`,
  ],
  'another size stands in the note': [
    'unsigned',
    `UPDATE ${checkpoints} SET note = regexp_replace(note, E'\\n\\\\d+\\n', E'\\n12\\n') ${newest}`,
  ],
  'another time stands in the note': [
    'unsigned',
    `UPDATE ${checkpoints} SET note = replace(note, 'time 202', 'time 203') ${newest}`,
  ],
  'a checkpoint of a log that never was': [
    'missing',
    `INSERT INTO ${checkpoints} SELECT 10000, root, note, signed_at FROM ${checkpoints} ${newest}`,
  ],
  'a key is put in the place of all others': [
    'none',
    'TRUNCATE sallyport.audit_signing_keys',
    `INSERT INTO sallyport.audit_signing_keys VALUES ('somebody+00000000+AAAA')`,
  ],
  'a stretch is moved to the end of the log': [
    'missing',
    `UPDATE ${stretches} SET start = start + 1000 ${nthStretch(5)}`,
  ],
  'a stretch is said to be of a chain that is not there': [
    'missing',
    `UPDATE ${stretches} SET replica = gen_random_uuid() ${nthStretch(5)}`,
  ],
  'two stretches of different chains change places': [
    'not-the-log',
    `CREATE TEMP TABLE two ON COMMIT DROP AS SELECT * FROM ${stretches} ORDER BY start OFFSET 1 LIMIT 2`,
    `DELETE FROM ${stretches} WHERE start IN (SELECT start FROM two)`,
    `INSERT INTO ${stretches} SELECT (SELECT sum(start) FROM two) - start, replica, epoch, first, count, sequenced_at FROM two`,
  ],
  'a link is of another epoch': ['missing', `UPDATE ${links} SET epoch = 2 ${nthLink(8)}`],
  'a link is there twice': [
    'duplicate',
    `ALTER TABLE ${links} DROP CONSTRAINT audit_links_pkey`,
    `INSERT INTO ${links} SELECT * FROM ${links} ${nthLink(4)}`,
  ],
  'a link has another hash': [
    'edited',
    `UPDATE ${links} SET hashes = sha256('x') || substring(hashes FROM 33) ${nthLink(8)}`,
  ],
  'a link follows another one': ['edited', `UPDATE ${links} SET prev = sha256('x') ${nthLink(8)}`],
  'a link is of an event that never was': [
    'event-missing',
    `UPDATE ${links} SET events = gen_random_uuid() || events[2:] ${nthLink(8)}`,
  ],
  'an event goes by another id': [
    'event-missing',
    `UPDATE ${events} SET id = overlay(id::text PLACING 'ffff' FROM 25)::uuid ${nth(7)}`,
  ],
  'an event says what another one says': [
    'edited',
    `UPDATE ${events} SET ${of('body, salt, personal', 8)} ${nth(7)}`,
  ],
  'somebody else did it': [
    'personal-edited',
    `UPDATE ${events} SET ${of('salt, personal', 8)} ${nth(7)}`,
  ],
  'half of a personal part is erased': [
    'personal-edited',
    `UPDATE ${events} SET salt = NULL ${nth(7)}`,
  ],
  'the other half is': ['personal-edited', `UPDATE ${events} SET personal = NULL ${nth(7)}`],
  'an event is taken away, and a record says that it is kept elsewhere': [
    'event-missing',
    `DELETE FROM ${events} ${nth(7)}`,
    forged('gen_random_uuid(), 1, NULL'),
  ],
  'that record is said to be in the place of another event': [
    'event-missing',
    `DELETE FROM ${events} ${nth(7)}`,
    forged('replica, epoch, n'),
  ],
  'an event is called a record': ['none', `UPDATE ${events} SET type = 'audit.retained' ${nth(7)}`],
  'a record is no JSON': [
    'edited',
    `UPDATE ${events} SET type = 'audit.retained', body = 'nothing' ${nth(7)}`,
  ],
  'copies to search by are of somebody else': [
    'none',
    `UPDATE ${events} SET replica = gen_random_uuid(), n = 999, issuer = 'x', subject = 'y' ${nth(7)}`,
  ],
  'spaces are written into an event': ['none', `UPDATE ${events} SET body = ' ' || body ${nth(7)}`],
  'the hashes that proofs are made of are gone': ['none', 'TRUNCATE sallyport.audit_tree_tiles'],
  'the view that searches read is another one': [
    'none',
    `ALTER VIEW sallyport.audit_log RENAME TO another`,
  ],
  'migrations were never applied': ['none', 'DELETE FROM sallyport.migrations'],
  'dates are written in another way': ['none', `SET LOCAL DateStyle = 'German'`],
}

class Undo extends Error {}

describe.each(storeKinds)(
  'attack class 26: somebody with all rights in the %s store, who changes it',
  (kind) => {
    const folder = mkdtempSync(join(tmpdir(), 'sallyport-changed-'))
    const olderFile = join(folder, 'older.txt')
    let store: Store
    let keys: string[]
    let older: string

    beforeAll(async () => {
      atEnd(async () => rmSync(folder, { recursive: true }))
      const owned = await openOwnedStore(kind)
      store = owned.store
      const [one, other] = [await startReplica(store), await startReplica(store)]
      const signing = [generateKeyPairSync('ed25519').privateKey]
      const sequencer = new Sequencer({ store, signing, audit: one.audit, log: quiet })
      for (let round = 0; round < 24; round++) {
        const { audit } = round % 2 === 0 ? one : other
        const reason = round === 11 ? 'secret' : 'rule-allowed'
        await audit.append(anIntent({ reason }))
        if (round === 5) {
          await sequencer.seal()
          older = (await readCheckpoint(store))!.note
        }
      }
      await sequencer.close()
      keys = await listSigningKeys(store)
      writeFileSync(olderFile, older)
      await withoutTriggers(owned.asOwner)
      for (const table of [links, stretches, 'sallyport.audit_signing_keys'])
        await owned.asOwner(`ALTER TABLE ${table} DISABLE TRIGGER USER`)
    })

    /** What an auditor gets, who kept the keys and an older checkpoint. */
    async function exportAs(db: Queryable, name: number) {
      const part = await partOf(db, {})
      const lines: string[] = []
      for await (const line of exportNdjson(db as Store, part)) lines.push(line)
      const manifest = JSON.stringify(await manifestOf(db, part))
      const file = join(folder, `${name}.ndjson`)
      writeFileSync(file, lines.map((line) => `${line}\n`).join(''))
      writeFileSync(`${file}.manifest.json`, manifest)
      const trust = { manifest: manifestFile.parse(JSON.parse(manifest)), keys, older }
      const { ok, findings } = await verifyExport(Readable.from(lines), trust)
      expect(ok).toBe(findings.length === 0)
      const [first] = findings
      return {
        found: first ? `${first.kind}:${first.line}` : 'none',
        run: [file, '--checkpoint', olderFile, ...keys.flatMap((key) => ['--key', key])],
      }
    }

    /** With all of it undone afterwards. */
    async function changed(sql: readonly string[], name: number) {
      let seen: Awaited<ReturnType<typeof exportAs>> | null = null
      const attempt = store.tx(async (tx) => {
        await tx.query(kind === 'postgres' ? 'SET LOCAL ROLE NONE' : 'SET LOCAL ROLE postgres')
        for (const statement of sql) await tx.query(statement)
        await tx.query('SET LOCAL ROLE sallyport_gateway')
        seen = await exportAs(tx, name).catch((error: Error) => {
          expect(error.message).toMatch(/^No checkpoint covers this yet/)
          return null
        })
        throw new Undo()
      })
      await expect(attempt).rejects.toThrow(Undo)
      return seen as Awaited<ReturnType<typeof exportAs>> | null
    }

    test('hides nothing from either verifier', async () => {
      const own: Record<string, string> = {}
      const runs: string[][] = []
      const kindOf = (found: string) => found.split(':')[0]!
      for (const [name, [, ...sql]] of Object.entries(edits)) {
        const seen = await changed(sql, runs.length)
        own[name] = seen?.found ?? 'refused'
        if (seen) runs.push(seen.run)
      }
      expect(
        Object.fromEntries(Object.entries(own).map(([name, it]) => [name, kindOf(it)])),
      ).toEqual(
        Object.fromEntries(Object.entries(edits).map(([name, [expected]]) => [name, expected])),
      )
      const { stdout } = await python(['-c', eachRun, JSON.stringify(runs)])
      const said = stdout.split('\0').map((text) => {
        const [, line, found] = /^line (\d+): ([a-z-]+):/m.exec(text) ?? []
        return found ? `${found}:${line}` : 'none'
      })
      expect(said).toEqual(Object.values(own).filter((found) => found !== 'refused'))
    })
  },
)
