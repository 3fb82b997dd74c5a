import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { MistakesError } from '../../src/core/errors.ts'
import { openStore } from '../../src/store/open.ts'
import { PgliteDatabase } from '../../src/store/pglite-database.ts'
import { openOver } from '../../src/store/pglite.ts'
import { createDataFolder, openTestStore } from '../support/store.ts'

const data = await createDataFolder()

const lockModule = fileURLToPath(new URL('../../src/store/folder-lock.ts', import.meta.url))

/** Another process that holds the folder until its input ends, or it is killed. */
async function occupy(folder: string) {
  const program = `import { lockFolder } from ${JSON.stringify(lockModule)}
    lockFolder(process.argv[1]); console.log('mine'); process.stdin.resume()`
  const holder = spawn(process.execPath, ['--input-type=module', '-e', program, folder])
  await once(holder.stdout, 'data')
  return holder
}

test('the embedded store finds its data again', async () => {
  const replica = crypto.randomUUID()
  const first = await openStore({ data })
  await first.query(
    'INSERT INTO sallyport.replicas (replica, epoch, lease_until) VALUES ($1, 1, now())',
    [replica],
  )
  await first.end()

  const second = await openStore({ data })
  expect(await second.query('SELECT replica FROM sallyport.replicas')).toEqual([{ replica }])
  await second.end()
})

test('a folder that another process uses is refused, and says which process it is', async () => {
  const holder = await occupy(data)
  const opening = openStore({ data })
  await expect(opening).rejects.toBeInstanceOf(MistakesError)
  await expect(opening).rejects.toMatchObject({
    mistakes: [{ file: data, message: `is in use by another Sallyport (pid ${holder.pid})` }],
  })
  holder.kill('SIGKILL')
})

test('the lock of a process that was killed is no obstacle', async () => {
  const holder = await occupy(data)
  holder.kill('SIGKILL')
  await once(holder, 'exit')
  const store = await openStore({ data })
  expect(await store.query('SELECT 1 AS one')).toEqual([{ one: 1 }])
  await expect(openStore({ data })).rejects.toThrow(`pid ${process.pid}`)
  await store.end()
})

test('a busy query does not starve timers', async () => {
  const store = await openTestStore('embedded')
  let ticks = 0
  const timer = setInterval(() => ticks++, 1)
  await store.query('SELECT count(*) FROM generate_series(1, 1000000)')
  clearInterval(timer)
  expect(ticks).toBeGreaterThan(0)
})

test('a database whose thread has ended is unavailable at once', async () => {
  const database = await PgliteDatabase.open({ folder: join(data, 'store'), snapshot: null })
  const store = await openOver(database, () => {})
  await database.close()
  await expect(store.query('SELECT 1')).rejects.toMatchObject({ ambiguous: true })
  await expect(store.query('SELECT 1')).rejects.toMatchObject({ code: '08001', ambiguous: true })
  await store.end()
})
