import { generateKeyPairSync, sign } from 'node:crypto'
import { mkdtempSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import { Anchor } from '../../../src/audit/anchor/anchor.ts'
import {
  cosignatureIn,
  cosignedMessage,
  cosignerId,
  readWitnessKey,
} from '../../../src/audit/anchor/cosignature.ts'
import { fileKeeper } from '../../../src/audit/anchor/keeper.ts'
import { Witness } from '../../../src/audit/anchor/witness.ts'
import { listSigningKeys } from '../../../src/audit/log/checkpoints.ts'
import { openCheckpoint, type Checkpoint } from '../../../src/audit/log/checkpoint.ts'
import { rootsOfConsistency } from '../../../src/audit/log/proof.ts'
import { Sequencer } from '../../../src/audit/log/sequencer.ts'
import type { Store } from '../../../src/store/db.ts'
import { anIntent, quiet, startReplica, type TestReplica } from '../../support/audit.ts'
import { canMountDisks, SmallDisk } from '../../support/small-disk.ts'
import { openTestStore } from '../../support/store.ts'

const signing = [generateKeyPairSync('ed25519').privateKey]
const servers: Server[] = []

afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

/** A log with a sequencer that signs only when it is told to, and an anchor that hears of it. */
async function startLog(witness: (store: Store) => Witness | null = () => null) {
  const store = await openTestStore()
  const replica = await startReplica(store)
  const file = join(mkdtempSync(join(tmpdir(), 'sallyport-anchor-')), 'checkpoints.txt')
  const anchor = new Anchor({
    keeper: fileKeeper(file),
    every: 0,
    witness: witness(store),
    store,
    log: quiet,
  })
  return { store, replica, file, anchor }
}

async function grow(store: Store, { audit }: TestReplica, anchor: Anchor, events: number) {
  for (let i = 0; i < events; i++) await audit.append(anIntent())
  const sequencer = new Sequencer({
    store,
    signing,
    audit,
    log: quiet,
    onCheckpoint: ({ size }) => anchor.grown(size),
  })
  await sequencer.close()
}

const notesIn = (file: string) => {
  const text = readFileSync(file, 'utf8')
  return text.split(/(?<=\n— [^\n]+\n)\n/)
}

/** A witness by the letter of C2SP tlog-witness: it remembers what it saw, and checks that the log continues it. */
async function startWitness(keys: () => Promise<string[]>, seen: Checkpoint | null = null) {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519')
  const raw = publicKey.export({ format: 'der', type: 'spki' }).subarray(-32)
  const id = cosignerId('witness.example.com/w1', raw)
  const encoded = Buffer.concat([Buffer.from([4]), raw]).toString('base64')
  const state = { seen, statuses: [] as number[], signer: privateKey }
  const server = createServer((request, response) => {
    void (async () => {
      let text = ''
      for await (const chunk of request.setEncoding('utf8')) text += chunk
      const { status, body } = judge(text, await keys())
      state.statuses.push(status)
      response.writeHead(status).end(body)
    })()
  })
  function judge(text: string, trusted: string[]): { status: number; body: string } {
    const gap = text.indexOf('\n\n')
    const [first, ...proof] = text.slice(0, gap).split('\n')
    const note = text.slice(gap + 2)
    const checkpoint = openCheckpoint(note, trusted)
    if (!checkpoint) return { status: 403, body: '' }
    const old = state.seen?.size ?? 0
    if (first !== `old ${old}`) return { status: 409, body: `${old}\n` }
    if (state.seen && old > 0) {
      const hashes = proof.map((line) => Buffer.from(line, 'base64'))
      const roots = rootsOfConsistency(old, checkpoint.size, state.seen.root, hashes)
      if (!roots?.older.equals(state.seen.root) || !roots.newer.equals(checkpoint.root))
        return { status: 422, body: '' }
    }
    state.seen = checkpoint
    const time = Buffer.alloc(8)
    time.writeBigUInt64BE(1_700_000_000n)
    const signature = sign(null, cosignedMessage(note, 1_700_000_000n), state.signer)
    const line = Buffer.concat([id, time, signature]).toString('base64')
    return { status: 200, body: `— witness.example.com/w1 ${line}\n` }
  }
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const key = readWitnessKey(`witness.example.com/w1+${id.toString('hex')}+${encoded}`)!
  return { url: `http://127.0.0.1:${port}`, key, state }
}

test.skipIf(!canMountDisks())(
  'attack class 25: a disk that is full leaves no half of a checkpoint in the file (needs to mount one)',
  async () => {
    const disk = SmallDisk.mount(1)
    onTestFinished(() => disk.unmount())
    const file = join(disk.folder, 'checkpoints.txt')
    const keeper = fileKeeper(file)
    const note = (size: number) => `log\n${size}\n${'r'.repeat(3_000)}\n\n— log ${size}\n`
    await keeper.keep(note(1), 1)
    disk.fill()
    // The page of the disk that the first one began has room for a part of the second.
    await expect(keeper.keep(note(2), 2)).rejects.toMatchObject({ code: 'ENOSPC' })
    expect(readFileSync(file, 'utf8')).toBe(note(1))
    disk.makeRoom()
    await keeper.keep(note(3), 3)
    expect(readFileSync(file, 'utf8')).toBe(`${note(1)}\n${note(3)}`)
  },
)

test('a file has each checkpoint of a log that grows, and none of one that does not', async () => {
  const { store, replica, file, anchor } = await startLog()
  await grow(store, replica, anchor, 3)
  await anchor.close()
  const next = new Anchor({ keeper: fileKeeper(file), every: 0, witness: null, store, log: quiet })
  await grow(store, replica, next, 2)
  await next.close()
  await next.close()

  const keys = await listSigningKeys(store)
  const sizes = notesIn(file).map((note) => openCheckpoint(note, keys)?.size)
  expect(sizes).toHaveLength(2)
  expect(sizes[1]! - sizes[0]!).toBeGreaterThanOrEqual(2)
})

describe('a witness', () => {
  test('cosigns each checkpoint that continues the one before, also after a restart', async () => {
    const opened: Store[] = []
    const witness = await startWitness(() => listSigningKeys(opened[0]!))
    const first = await startLog((store) => new Witness(witness.url, witness.key, store))
    opened.push(first.store)
    const { store, replica, file } = first
    await grow(store, replica, first.anchor, 5)
    await first.anchor.close()
    // It has forgotten what the witness saw, and hears it from the witness.
    const again = new Witness(witness.url, witness.key, store)
    const second = new Anchor({
      keeper: fileKeeper(file),
      every: 0,
      witness: again,
      store,
      log: quiet,
    })
    await grow(store, replica, second, 7)
    await second.close()

    expect(witness.state.statuses).toEqual([200, 409, 200])
    const notes = notesIn(file)
    expect(notes).toHaveLength(2)
    const keys = await listSigningKeys(store)
    for (const note of notes) {
      expect(openCheckpoint(note, keys)).not.toBeNull()
      expect(cosignatureIn(note.split('\n'), note, witness.key)).not.toBeNull()
    }
  })

  test('that saw another log, or signs with another key, is not believed: nothing is kept', async () => {
    const opened: Store[] = []
    const trusted = () => listSigningKeys(opened[0]!)
    const other: Checkpoint = { origin: 'x', size: 2, root: Buffer.alloc(32, 7), time: null }
    const ahead: Checkpoint = { ...other, size: 1_000_000 }
    const impostor = await startWitness(trusted)
    impostor.state.signer = generateKeyPairSync('ed25519').privateKey
    for (const [witness, statuses] of [
      [await startWitness(trusted, other), [409, 422]],
      [await startWitness(trusted, ahead), [409]],
      [impostor, [200]],
    ] as const) {
      const { store, replica, file, anchor } = await startLog(
        (it) => new Witness(witness.url, witness.key, it),
      )
      opened.splice(0, 1, store)
      await grow(store, replica, anchor, 4)
      witness.state.statuses.splice(0)
      await anchor.close()
      expect(witness.state.statuses).toEqual(statuses)
      expect(() => readFileSync(file)).toThrow(/ENOENT/)
    }
  })
})

test('a key whose parts do not belong together is no witness', () => {
  const key = Buffer.concat([Buffer.from([4]), Buffer.alloc(32)]).toString('base64')
  expect(readWitnessKey(`w+00000000+${key}`)).toBeNull()
  expect(readWitnessKey('w+00000000+AA==')).toBeNull()
})
