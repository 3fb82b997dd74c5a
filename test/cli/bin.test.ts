import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'

const root = fileURLToPath(new URL('../../', import.meta.url))
// The machine's own Node, which can be older than the one that these tests run on.
const systemNode = ['/usr/bin/node', '/usr/local/bin/node'].find((path) => existsSync(path))

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-bin-'))
  mkdirSync(join(folder, 'bin'))
  copyFileSync(join(root, 'bin/sallyport.js'), join(folder, 'bin/sallyport.js'))
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}')
})
afterAll(() => rmSync(folder, { recursive: true }))

const start = (node: string, file: string, ...argv: string[]) =>
  spawnSync(node, [file, ...argv], { cwd: tmpdir(), encoding: 'utf8' })

test('it starts, and hands on the exit code', () => {
  const bin = join(root, 'bin/sallyport.js')
  expect(start(process.execPath, bin, '--version')).toMatchObject({ status: 0, stdout: '0.1.0\n' })
  expect(start(process.execPath, bin, 'no-such-command')).toMatchObject({ status: 2 })
})

test('whoever reads only the beginning of what a verifier says is not told that all is well', async () => {
  const nonsense = join(folder, 'nonsense.ndjson')
  writeFileSync(nonsense, 'no event\n'.repeat(50_000))
  const bin = join(root, 'bin/sallyport.js')
  const verifier = spawn(process.execPath, [bin, 'audit', 'verify', nonsense])
  verifier.stdout.once('data', () => verifier.stdout.destroy())
  const [code] = await once(verifier, 'exit')
  expect(code).toBe(141)
})

test.skipIf(!systemNode)(
  'started by the Node of the machine, it finds the Node that it needs',
  () => {
    const bin = join(root, 'bin/sallyport.js')
    expect(start(systemNode!, bin, '--version')).toMatchObject({ status: 0, stdout: '0.1.0\n' })
    expect(start(systemNode!, bin, 'no-such-command')).toMatchObject({ status: 2 })
  },
)

test('where there is only the build, the build is started', () => {
  mkdirSync(join(folder, 'dist/cli'), { recursive: true })
  writeFileSync(join(folder, 'dist/cli/main.js'), 'console.log("built", process.argv.slice(2))')
  const run = start(process.execPath, join(folder, 'bin/sallyport.js'), 'serve')
  expect(run).toMatchObject({ status: 0, stdout: "built [ 'serve' ]\n" })
})
