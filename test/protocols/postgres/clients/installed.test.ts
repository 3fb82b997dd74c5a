import { execFile } from 'node:child_process'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasPostgres, startMatrix, type Address, type Matrix } from './matrix.ts'
import { run } from './run.ts'

/** Whose sessions are programs of test/clients/node, and what each is asked to delete. */
const clients = {
  prisma: /^DELETE FROM "public"\."customers" WHERE /,
  sequelize: /^DELETE FROM "customers" WHERE /,
  objection: /^delete from "customers" where /,
  'pg-promise': /^DELETE FROM customers WHERE id = 47$/,
  slonik: /^DELETE FROM customers WHERE id = \$1$/,
}

/**
 * Too much for everybody who checks out this repository (350 MB, most of them Prisma's), and so no dependencies of it. Exact at the top alone: what these need in turn is whatever fits
 * on that day.
 */
const packages = [
  'prisma@7.10.0',
  '@prisma/client@7.10.0',
  '@prisma/adapter-pg@7.10.0',
  'sequelize@6.37.8',
  'pg@8.23.1',
  'objection@3.1.5',
  'knex@3.3.0',
  'pg-promise@12.7.1',
  'slonik@47.3.2',
  'zod@3.25.76',
]
const sessions = fileURLToPath(new URL('../../../clients/node', import.meta.url))

/** Without install scripts: Prisma's download engines, which its client has no need of. Generating it would too, unless it is told that there is one. */
async function install(folder: string): Promise<void> {
  const execute = promisify(execFile)
  await cp(sessions, folder, { recursive: true })
  await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
  const args = ['install', '--ignore-scripts', '--no-audit', '--no-fund', ...packages]
  await execute('npm', args, { cwd: folder, timeout: 180_000 })
  const env = { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: '/bin/true', CHECKPOINT_DISABLE: '1' }
  const generate = ['node_modules/prisma/build/index.js', 'generate', '--schema', 'schema.prisma']
  await execute(process.execPath, generate, { cwd: folder, env, timeout: 60_000 })
}

describe.runIf(hasPostgres)('a client that is installed for this test', () => {
  let matrix: Matrix
  let folder: string
  let reason: string | undefined

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sallyport-clients-'))
    try {
      await install(folder)
    } catch (error) {
      reason = `they could not be installed: ${(error as Error).message.split('\n')[0]}`
      return
    }
    matrix = await startMatrix()
  }, 300_000)
  afterAll(async () => {
    await matrix?.close()
    await rm(folder, { recursive: true })
  })

  const ran = (name: string, what: string, address: Address) =>
    run(process.execPath, [join(folder, 'session.mjs'), name, what], address)

  test.for(Object.keys(clients))('%s sees no difference', async (name, { skip }) => {
    if (reason) skip(reason)
    const direct = await ran(name, 'everything', matrix.direct)
    expect(direct).toMatchObject({ code: 0, notes: '' })
    expect(direct.out).toContain('enough')
    expect(await ran(name, 'everything', await matrix.open())).toEqual(direct)
  })

  test.for(Object.entries(clients))(
    '%s is denied, and waits',
    async ([name, deletes], { skip }) => {
      if (reason) skip(reason)
      const denied = await ran(name, 'denied', await matrix.ruled())
      expect(denied).toMatchObject({ code: 0, notes: '' })
      expect(denied.out).toContain('denied by policy: Rule the-vault-stays-closed denies this.')
      expect(denied.out).toContain('42501')
      const before = await matrix.customers()
      const running = ran(name, 'held', await matrix.ruled())
      expect(await matrix.approve()).toMatch(deletes)
      expect(await running).toMatchObject({ code: 0, notes: '' })
      expect(await matrix.customers()).toBe(before - 1)
    },
  )
})
