import { generateKeyPairSync } from 'node:crypto'
import { beforeAll, describe, expect, test } from 'vitest'
import { auditBacklog } from '../../../src/audit/backlog.ts'
import { manifestOf } from '../../../src/audit/export/manifest.ts'
import { exportNdjson, openExport } from '../../../src/audit/export/ndjson.ts'
import type { Part } from '../../../src/audit/export/stretches.ts'
import { listSigningKeys, readCheckpoint } from '../../../src/audit/log/checkpoints.ts'
import { proveConsistency } from '../../../src/audit/log/prove.ts'
import { ChangedTree, takeTurn } from '../../../src/audit/log/sequence.ts'
import { Sequencer } from '../../../src/audit/log/sequencer.ts'
import { verifyExport } from '../../../src/audit/verify.ts'
import { manifestFile } from '../../../src/audit/verify/signed-log.ts'
import type { Store } from '../../../src/store/db.ts'
import { anIntent, quiet, startReplica, until, type TestReplica } from '../../support/audit.ts'
import { openOwnedStore, type RunAs } from '../../support/owned-store.ts'
import { storeKinds } from '../../support/store.ts'

const replica = (n: number) => `00000000-0000-4000-8000-00000000000${n}`

/** Stretches of one event each, in the chain of a replica; `linkedAt` in SQL, of the place `n`. */
const stretches = (of: number, places: string, linkedAt: string) => `
  INSERT INTO sallyport.audit_links (replica, epoch, first, events, leaves, prev, hashes, linked_at)
  SELECT '${replica(of)}', 1, n, ARRAY[gen_random_uuid()], h, h, h, ${linkedAt}
    FROM ${places} n, sha256(n::text::bytea) h`

const begin = (of: number) =>
  `INSERT INTO sallyport.replicas (replica, epoch, lease_until) VALUES ('${replica(of)}', 1, clock_timestamp())`

const silent = quiet.child({}, { level: 'silent' })

describe.each(storeKinds)('taking links into the log, in the %s store', (kind) => {
  let store: Store
  let asOwner: RunAs
  let sequencer: Sequencer
  let audit: TestReplica['audit']

  beforeAll(async () => {
    ;({ store, asOwner } = await openOwnedStore(kind))
    ;({ audit } = await startReplica(store))
    const signing = [generateKeyPairSync('ed25519').privateKey]
    sequencer = new Sequencer({ store, signing, audit, log: silent })
    // From here on it has a turn when it is asked to.
    await sequencer.close()
    for (let i = 0; i < 5; i++) await audit.append(anIntent())
    await until(
      async () => (await store.query('SELECT FROM sallyport.audit_unlinked')).length === 0,
    )
    await sequencer.seal()
  })

  const size = async () => (await takeTurn(store, 0))!.size

  interface TreeRow {
    readonly size: number
    readonly subtrees: string
  }

  const readTree = async () =>
    (
      await store.query<TreeRow>(
        `SELECT size, encode(subtrees, 'hex') AS subtrees FROM sallyport.audit_tree`,
      )
    )[0]!
  const putTree = ({ size: events, subtrees }: TreeRow) =>
    asOwner(
      `UPDATE sallyport.audit_tree SET size = ${events}, subtrees = decode('${subtrees}', 'hex')`,
    )

  async function verified(part: Part) {
    const manifest = manifestFile.parse(JSON.parse(JSON.stringify(await manifestOf(store, part))))
    const trust = { manifest, keys: await listSigningKeys(store), older: null }
    return verifyExport(exportNdjson(store, part), trust)
  }

  test.each([
    ['other hashes', `subtrees = sha256('x') || substring(subtrees FROM 33)`],
    ['no hashes', `subtrees = ''`],
    ['half a hash', `subtrees = substring(subtrees FOR 31)`],
  ])(
    'attack class 26: a tree with %s is not signed; what is in the log is exported and verified all the same, and it goes on once it is mended',
    async (_, changed) => {
      const signed = (await readCheckpoint(store))!
      const tree = await readTree()
      await asOwner(`UPDATE sallyport.audit_tree SET ${changed}`)
      await audit.append(anIntent())
      await expect(sequencer.seal()).rejects.toThrow(ChangedTree)
      expect((await readCheckpoint(store))!.size).toBe(signed.size)

      const part = await openExport(store)
      expect(part).toEqual({ first: 0, end: signed.size })
      expect(await verified(part)).toMatchObject({ ok: true, lines: signed.size })

      await putTree(tree)
      await sequencer.seal()
      expect((await readCheckpoint(store))!.size).toBeGreaterThan(signed.size)
    },
  )

  test('attack class 26: an end that was cut off, with all that belongs to it but what was signed, is missing from exports, and nothing takes its place', async () => {
    const before = await readTree()
    for (let i = 0; i < 3; i++) await audit.append(anIntent())
    await sequencer.seal()
    const whole = await readTree()
    const table = 'sallyport.audit_tree_stretches'
    const triggers = async (state: 'ENABLE' | 'DISABLE') => {
      for (const one of [table, 'sallyport.audit_tree'])
        await asOwner(`ALTER TABLE ${one} ${state} TRIGGER USER`)
    }
    await triggers('DISABLE')
    await asOwner(`CREATE TABLE cut_off AS SELECT * FROM ${table} WHERE start >= ${before.size}`)
    await asOwner(`DELETE FROM ${table} WHERE start >= ${before.size}`)
    await putTree(before)
    await audit.append(anIntent())
    await expect(sequencer.seal()).rejects.toThrow(ChangedTree)

    const part = await openExport(store)
    expect(part).toEqual({ first: 0, end: whole.size })
    const missing = `Events ${before.size} to ${whole.size - 1} of the log are missing.`
    expect(await verified(part)).toMatchObject({
      ...{ ok: false, findings: [{ kind: 'missing', message: missing }] },
    })
    expect((await proveConsistency(store, before.size, whole.size)).length).toBeGreaterThan(0)

    await asOwner(`INSERT INTO ${table} SELECT * FROM cut_off`)
    await putTree(whole)
    await triggers('ENABLE')
    await sequencer.seal()
    expect(await verified(await openExport(store))).toMatchObject({ ok: true })
  })

  test('goes on when somebody sets the clock back by an hour', async () => {
    const setBack = `UPDATE sallyport.audit_tree SET turn_at = clock_timestamp() + interval '1 hour'`
    await asOwner(setBack)
    expect(await takeTurn(store, 500)).not.toBeNull()
    await asOwner(setBack)
    expect(await takeTurn(store, 0)).not.toBeNull()
    // And turns are as far apart as ever.
    expect(await takeTurn(store, 600_000)).toBeNull()
  })

  test('takes all of them in, also when thousands came on each chain after the clock went back', async () => {
    const before = await size()
    for (const of of [1, 2]) {
      await asOwner(begin(of))
      const linkedAt = `clock_timestamp() + CASE n WHEN 1 THEN interval '1 hour' ELSE interval '0' END`
      await asOwner(stretches(of, 'generate_series(1, 1500)', linkedAt))
    }
    expect(await size()).toBe(before + 3_000)
  })

  test('attack class 26: takes a chain in, whatever somebody with the gateway’s access noted about it', async () => {
    const before = await size()
    // The gateway's role may do this, and its chain goes on.
    const note = (values: string) =>
      store.query(
        `INSERT INTO sallyport.audit_tree_chains (replica, epoch, next, ended)
         SELECT replica, epoch, ${values} FROM sallyport.replicas
         ON CONFLICT (replica, epoch) DO UPDATE SET next = excluded.next, ended = excluded.ended`,
      )
    await note('1000000000, false')
    await audit.append(anIntent())
    expect(await size()).toBe(before + 1)
    await note('1, true')
    await audit.append(anIntent())
    expect((await auditBacklog(store)).log).toBe(1)
    expect(await size()).toBe(before + 2)

    // One that is over is looked at again when a gateway starts.
    const dead = await startReplica(store)
    await dead.audit.append(anIntent())
    await dead.audit.close()
    await dead.lease.close()
    await note('1, true')
    expect(await size()).toBe(before + 2)
    const next = new Sequencer({ store, signing: [], audit, log: silent })
    await next.turn()
    await next.close()
    expect(await size()).toBeGreaterThan(before + 2)
    const [left] = await store.query<{ left: number }>(
      `SELECT count(*) AS left FROM sallyport.audit_links l WHERE NOT EXISTS (
         SELECT FROM sallyport.audit_tree_stretches s
          WHERE (s.replica, s.epoch, s.first) = (l.replica, l.epoch, l.first))`,
    )
    expect(left).toEqual({ left: 0 })
  })

  test('leaves out what comes behind a link that is gone, however much it is, and nothing of other chains', async () => {
    const before = await size()
    await asOwner(begin(3))
    await asOwner(stretches(3, 'generate_series(1, 3)', 'clock_timestamp()'))
    await asOwner(stretches(3, 'generate_series(5, 2000)', 'clock_timestamp()'))
    await asOwner(begin(4))
    await asOwner(stretches(4, 'generate_series(1, 10)', `clock_timestamp() + interval '1 minute'`))
    expect(await size()).toBe(before + 13)
    // It is put back: the chain goes on.
    await asOwner(stretches(3, 'generate_series(4, 4)', 'clock_timestamp()'))
    expect(await size()).toBe(before + 2_010)
  })
})
