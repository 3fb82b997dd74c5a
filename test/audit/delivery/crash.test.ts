import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Client } from 'pg'
import { describe, expect, onTestFinished, test } from 'vitest'
import { folderDestination } from '../../../src/audit/delivery/folder.ts'
import { settingsOf } from '../../../src/audit/delivery/open.ts'
import { openPostgres } from '../../../src/store/postgres.ts'
import { until } from '../../support/audit.ts'
import { atEnd, createTestDatabase, storeKinds } from '../../support/store.ts'
import { sallyport } from '../../support/terminal.ts'
import { filesIn, linesIn, newFolder, Scene } from './scene.ts'

const program = fileURLToPath(new URL('./programs/deliver.ts', import.meta.url))

/** A process that delivers to the folder, in a shell that may write files of so many blocks of 512 bytes only. */
function start(url: string, folder: string, blocks = 'unlimited'): ChildProcess {
  const limited = ['-c', `ulimit -f ${blocks}; exec "$0" "$@"`, process.execPath, program]
  const child = spawn('sh', [...limited, url, folder], { stdio: ['ignore', 'pipe', 'inherit'] })
  onTestFinished(() => void child.kill('SIGKILL'))
  return child
}

async function kill(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit')
  child.kill('SIGKILL')
  await exit
}

/** A database with a log, and the row of a delivery that begins with it. */
async function openLog() {
  const url = await createTestDatabase()
  const store = await openPostgres(url)
  atEnd(() => store.end())
  const scene = await Scene.open(store)
  const folder = newFolder()
  const destination = folderDestination(folder, 'ndjson')
  await store.query(
    `INSERT INTO sallyport.audit_deliveries (name, settings, cursor) VALUES ('d', $1::jsonb, $2)`,
    [settingsOf(destination, { format: 'ndjson', personal: true }), scene.first],
  )
  return { url, scene, folder }
}

async function verified(folder: string): Promise<void> {
  const { code, out, notes } = await sallyport(['audit', 'verify', '.'], { folder })
  expect(notes, out).toContain('These are the events of the log of')
  expect(code).toBe(0)
}

describe.runIf(storeKinds.includes('postgres'))('a replica that delivers', () => {
  test('and is killed between the file and the cursor leaves a file that the next one finds right', async () => {
    const { url, scene, folder } = await openLog()
    await scene.grow(40)
    // Whoever holds the row holds up the cursor, and nothing else.
    const keeper = new Client({ connectionString: url })
    await keeper.connect()
    const first = start(url, folder)
    await until(async () => (await scene.health('d')).active)
    for (;;) {
      const [, { rows }] = (await keeper.query(
        'BEGIN; SELECT cursor FROM sallyport.audit_deliveries FOR UPDATE',
      )) as unknown as [unknown, { rows: { cursor: string }[] }]
      // A file is there that the cursor does not know of, and cannot come to know.
      const written = Math.max(0, ...filesIn(folder).map((name) => Number(name.split('-')[3])))
      if (written > Number(rows[0]!.cursor)) break
      await keeper.query('COMMIT')
      if ((await scene.health('d')).lag === 0) await scene.grow(1)
    }
    await kill(first)
    await keeper.query('COMMIT')
    await keeper.end()
    start(url, folder)
    await scene.delivered('d')

    expect(linesIn(folder)).toEqual(await scene.log('d'))
    await verified(folder)
  })

  test('and is killed at any moment, again and again, delivers each event once', async () => {
    const { url, scene, folder } = await openLog()
    for (let round = 0; round < 6; round++) {
      const child = start(url, folder)
      const said = createInterface(child.stdout!)
      // As many in each round, however long a round takes.
      const grown = scene.grow(120)
      await once(said, 'line')
      await sleep(Math.random() * 40)
      await kill(child)
      await grown
    }
    start(url, folder)
    await scene.delivered('d')

    expect(linesIn(folder)).toEqual(await scene.log('d'))
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([])
    await verified(folder)
  })

  test('and sleeps over its turn does no harm when it wakes', async () => {
    const { url, scene, folder } = await openLog()
    const sleeper = start(url, folder)
    await scene.grow(30)
    await until(async () => filesIn(folder).length > 0)
    await scene.grow(200)
    sleeper.kill('SIGSTOP')
    start(url, folder)
    await scene.delivered('d')
    sleeper.kill('SIGCONT')
    await scene.grow(200)
    await scene.delivered('d')

    expect(linesIn(folder)).toEqual(await scene.log('d'))
    await verified(folder)
  })

  test('and whose disk is full says so, leaves nothing half behind, and goes on when there is room', async () => {
    const { url, scene, folder } = await openLog()
    await scene.grow(40)
    const cramped = start(url, folder, '2')
    await until(async () => (await scene.health('d')).failures > 1)
    expect((await scene.health('d')).lastError).toBe('The file cannot be written (EFBIG)')
    expect(filesIn(folder)).toEqual([])
    await kill(cramped)
    start(url, folder)
    await scene.delivered('d')
    expect(linesIn(folder)).toEqual(await scene.log('d'))
    expect(readdirSync(folder).filter((name) => name.endsWith('.part'))).toEqual([])
  })
})
