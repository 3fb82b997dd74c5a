import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { replacePrivateFile } from '../../src/config/private-file.ts'
import { policies } from '../e2e/policies.ts'
import { refund, verifiedLog, waiting } from '../e2e/requests.ts'
import { startCountingUpstream } from '../support/counting-upstream.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { PostgresServer } from '../support/postgres.ts'
import { canMountDisks, SmallDisk } from '../support/small-disk.ts'
import { atEnd, createDataFolder, storeKinds } from '../support/store.ts'
import { sallyport } from '../support/terminal.ts'

const soon = { timeout: 60_000, interval: 100 }

function mount(mebibytes: number): SmallDisk {
  const disk = SmallDisk.mount(mebibytes)
  atEnd(async () => disk.unmount())
  return disk
}

describe.skipIf(!canMountDisks())('a disk that is full (class 25; needs to mount one)', () => {
  describe.skipIf(!storeKinds.includes('postgres'))('under PostgreSQL', () => {
    // No checkpoint comes meanwhile: it would make room by itself, or use old segments again.
    const small = ['shared_buffers=16MB', 'max_wal_size=1GB', 'checkpoint_timeout=1h']
    it.each([
      {
        what: 'rows',
        start: (disk: SmallDisk) =>
          PostgresServer.start(['shared_buffers=16MB'], { within: disk.folder }),
        size: 112,
        dies: false,
      },
      {
        what: 'its write-ahead log, so that the server itself dies',
        start: (disk: SmallDisk) =>
          PostgresServer.start(small, { wal: { within: disk.folder, segment: 1 } }),
        size: 64,
        dies: true,
      },
    ])(
      'has no room for $what: nothing runs that is not on record, and it goes on once there is room',
      async ({ start, size, dies }) => {
        const disk = mount(size)
        const database = await start(disk)
        atEnd(() => database.remove())
        const upstream = await startCountingUpstream()
        atEnd(() => upstream.close())
        const gateway = await startTestGateway({
          upstream: upstream.url,
          policies,
          databaseUrl: await database.createDatabase('gateway'),
          times: { leaseMs: 3_000, marginMs: 500 },
        })
        atEnd(() => gateway.close())
        const held = gateway.agent('/crm/v1/refunds', waiting(refund(), 300))
        const approval = await gateway.pending()

        disk.fill()

        const notes = await sendNotes(gateway, (statuses) => count(statuses, 503) >= 3)
        for (const { status } of notes) expect([201, 503]).toContain(status)
        // To the byte: what was answered has arrived, and what was refused has not.
        const arrived = upstream.arrived.map(({ body }) => body)
        expect(arrived).toEqual(
          notes.filter(({ status }) => status === 201).map(({ body }) => body),
        )

        disk.makeRoom()
        if (dies) {
          // Whoever looks after the server starts it again; without room it would not.
          await database.stop()
          await database.start()
        }

        await sendNotes(gateway, (statuses) => statuses.at(-1) === 201)
        // The agent still waits, and people can still answer it.
        await expect
          .poll(async () => (await gateway.vote('dana', approval)).status, soon)
          .toBeOneOf([200, 409])
        expect((await held).status).toBe(201)
        await expect
          .poll(() => outcomes(gateway, upstream.arrived.length), soon)
          .toEqual({ missing: 0, twice: 0 })
      },
    )
  })

  it('under the embedded store: nothing runs that is not on record, and a start with room finds everything', async () => {
    const disk = mount(192)
    const upstream = await startCountingUpstream()
    atEnd(() => upstream.close())
    const data = await createDataFolder(disk.folder)
    const gateway = await startTestGateway({
      upstream: upstream.url,
      policies,
      store: 'embedded',
      data,
    })
    atEnd(() => gateway.close())
    disk.fill()
    const notes = await sendNotes(gateway, (statuses) => count(statuses, 503) >= 3)
    for (const { status } of notes) expect([201, 503]).toContain(status)
    const arrived = upstream.arrived.map(({ body }) => body)
    expect(arrived).toEqual(notes.filter(({ status }) => status === 201).map(({ body }) => body))

    await gateway.restart(() => disk.makeRoom())
    await sendNotes(gateway, (statuses) => statuses.at(-1) === 201)
    await expect
      .poll(() => outcomes(gateway, upstream.arrived.length), soon)
      .toEqual({ missing: 0, twice: 0 })
  })

  it('under the secrets: the old ones stay as they are, and nothing is left of the new ones', () => {
    const disk = mount(1)
    const file = join(disk.folder, 'secrets.json')
    replacePrivateFile(file, 'the old ones')
    disk.fill()
    expect(() => replacePrivateFile(file, 'x'.repeat(64 * 1024))).toThrow(
      expect.objectContaining({
        mistakes: [
          {
            file,
            message: 'The file cannot be written (ENOSPC).',
            remedy: 'Make room on its disk.',
          },
        ],
      }),
    )
    expect(readFileSync(file, 'utf8')).toBe('the old ones')
    expect(readdirSync(disk.folder).toSorted()).toEqual(['filler', 'secrets.json'])
  })

  it('under an export: it says so, and what there is of it does not look like a whole one', async () => {
    const upstream = await startCountingUpstream()
    atEnd(() => upstream.close())
    const gateway = await startTestGateway({ upstream: upstream.url, policies })
    atEnd(() => gateway.close())
    await sendNotes(gateway, (statuses) => statuses.length === 20)
    const disk = mount(1)
    const environment = {
      SALLYPORT_URL: gateway.controlUrl,
      SALLYPORT_TOKEN: await gateway.personToken('dana'),
    }
    const argv = ['audit', 'export', '--out', 'log.ndjson']
    disk.fill()
    const { code, notes } = await sallyport(argv, { environment, folder: disk.folder })
    expect(code).toBe(1)
    expect(notes).toContain('The export to log.ndjson is not complete: ENOSPC')
    expect(existsSync(join(disk.folder, 'log.ndjson'))).toBe(false)

    disk.makeRoom()
    writeFileSync(join(disk.folder, 'log.ndjson.part'), '')
    const blocked = await sallyport(argv, { environment, folder: disk.folder })
    expect(blocked.notes).toContain('EEXIST')
  })
})

interface Note {
  readonly body: string
  readonly status: number
}

let written = 0

/** Sends one after the other until enough are answered. */
async function sendNotes(
  gateway: TestGateway,
  enough: (statuses: readonly number[]) => boolean,
): Promise<Note[]> {
  const notes: Note[] = []
  while (!enough(notes.map(({ status }) => status))) {
    const body = `note ${++written} ${'x'.repeat(500)}`
    const { status } = await gateway.agent('/crm/v1/notes', { method: 'POST', body })
    notes.push({ body, status })
  }
  return notes
}

const count = (statuses: readonly number[], wanted: number) =>
  statuses.filter((status) => status === wanted).length

/** Of the actions that arrived, as the log has it, which verifies: how many have no outcome, and how many more than one. */
async function outcomes(gateway: TestGateway, arrived: number) {
  const log = await verifiedLog(gateway, gateway.folder)
  const succeeded = log.filter(
    ({ type, outcome }) => type === 'action.completed' && outcome?.result === 'succeeded',
  )
  const actions = new Set(succeeded.map(({ action }) => action!.id))
  return { missing: arrived - actions.size, twice: succeeded.length - actions.size }
}
