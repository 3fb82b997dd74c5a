import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'

const bin = fileURLToPath(new URL('../../bin/sallyport.js', import.meta.url))

let folder: string
let started: ChildProcess[]
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-stop-'))
  started = []
})
afterEach(() => {
  for (const child of started) child.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

function quickstart(...options: string[]) {
  const ports = [
    '--agents-port',
    '0',
    '--control-port',
    '0',
    '--identity-port',
    '0',
    '--database-port',
    '0',
  ]
  const child = spawn(process.execPath, [bin, 'quickstart', ...ports, ...options], { cwd: folder })
  started.push(child)
  const errors = text(child.stderr)
  const ended = once(child, 'exit').then(([code]) => code as number)
  return { child, ended, errors }
}

async function ready({ child }: { child: ChildProcess }): Promise<string> {
  let said = ''
  for await (const chunk of child.stdout!) {
    said += String(chunk)
    if (said.includes('Ctrl-C')) return said
  }
  throw new Error(`it ended without being ready: ${said}`)
}

test('one process at a time works on the data, Ctrl-C stops it cleanly, and the next start finds it', async () => {
  const first = quickstart()
  await ready(first)

  const second = quickstart()
  expect(await second.ended).toBe(1)
  expect(await second.errors).toMatch(/data {2}is in use by another Sallyport \(pid \d+\)/)

  // Twice, as it comes from a terminal through npm.
  first.child.kill('SIGINT')
  first.child.kill('SIGINT')
  expect(await first.ended).toBe(0)
  expect(await first.errors).toBe('Stopping. A second time stops at once.\n')

  const third = quickstart()
  await ready(third)
  third.child.kill('SIGTERM')
  expect(await third.ended).toBe(0)
})

test.each(['--agents-port', '--database-port'])(
  'a port that is in use is named, with the option that changes it: %s',
  async (option) => {
    const other = createServer().listen(0, '127.0.0.1')
    await once(other, 'listening')
    const { port } = other.address() as AddressInfo
    const { ended, errors } = quickstart(option, String(port))
    expect(await ended).toBe(1)
    expect(await errors).toContain(`${option}  127.0.0.1:${port} is in use.`)
    other.close()
  },
)
