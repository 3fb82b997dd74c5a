import { execFile } from 'node:child_process'
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { hasPostgres, startMatrix, type Address, type Matrix } from './matrix.ts'
import { run } from './run.ts'

const session = fileURLToPath(new URL('../../../clients/prisma', import.meta.url))
const version = '7.10.0'
const packages = ['prisma', '@prisma/client', '@prisma/adapter-pg']

/**
 * Prisma's own way, in a folder for it: its packages take 300 MB, which is too much for everybody who checks out this repository. Their install scripts would download
 * engines, which the client has no need of; so does generating it, unless it is told that there is one.
 */
async function install(folder: string): Promise<void> {
  const execute = promisify(execFile)
  await cp(session, folder, { recursive: true })
  await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }')
  const quiet = ['--ignore-scripts', '--no-audit', '--no-fund']
  const exact = packages.map((name) => `${name}@${version}`)
  await execute('npm', ['install', ...quiet, ...exact], { cwd: folder, timeout: 180_000 })
  const env = { ...process.env, PRISMA_SCHEMA_ENGINE_BINARY: '/bin/true', CHECKPOINT_DISABLE: '1' }
  const generate = ['node_modules/prisma/build/index.js', 'generate', '--schema', 'schema.prisma']
  await execute(process.execPath, generate, { cwd: folder, env, timeout: 60_000 })
}

describe.runIf(hasPostgres)('Prisma', () => {
  let matrix: Matrix
  let folder: string
  let reason: string | undefined

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sallyport-prisma-'))
    try {
      await install(folder)
    } catch (error) {
      reason = `its packages could not be installed: ${(error as Error).message.split('\n')[0]}`
      return
    }
    matrix = await startMatrix()
  }, 300_000)
  afterAll(async () => {
    await matrix?.close()
    await rm(folder, { recursive: true })
  })

  const ran = (what: string, address: Address) =>
    run(process.execPath, [join(folder, 'session.mjs'), what], address)

  test('sees no difference', async ({ skip }) => {
    if (reason) skip(reason)
    const direct = await ran('everything', matrix.direct)
    expect(direct).toMatchObject({ code: 0, notes: '' })
    expect(direct.out).toContain('{"_sum":{"amount":')
    expect(await ran('everything', await matrix.open())).toEqual(direct)
  })

  test('is denied, and the next query goes through', async ({ skip }) => {
    if (reason) skip(reason)
    const { code, out, notes } = await ran('denied', await matrix.ruled())
    expect({ code, notes }).toEqual({ code: 0, notes: '' })
    expect(out).toContain('denied by policy: Rule the-vault-stays-closed denies this.')
    expect(out.match(/"customer 1"/g)).toHaveLength(2)
  })

  test('waits for an approval, and runs then', async ({ skip }) => {
    if (reason) skip(reason)
    const running = ran('held', await matrix.ruled())
    expect(await matrix.approve()).toMatch(/^DELETE FROM "public"\."customers" WHERE /)
    expect(await running).toEqual({ code: 0, out: '[{"count":1}]\n', notes: '' })
    expect(await matrix.customers()).toBe(49)
  })
})
