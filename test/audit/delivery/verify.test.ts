import { readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import { beforeEach, expect, test } from 'vitest'
import { python } from '../../support/python.ts'
import { sallyport } from '../../support/terminal.ts'
import { filesIn, newFolder, Scene } from './scene.ts'

let folder: string
let names: string[]

const verify = (...argv: string[]) => sallyport(['audit', 'verify', ...argv], { folder })
const textOf = (name: string) => gunzipSync(readFileSync(join(folder, name))).toString()
const rewrite = (name: string, text: string) => writeFileSync(join(folder, name), gzipSync(text))

/** Four files of a log, delivered. */
beforeEach(async () => {
  const scene = await Scene.open()
  folder = newFolder()
  await scene.grow(20)
  await scene.deliver({ folder, max_events: 6 })
  await scene.delivered()
  names = filesIn(folder)
  expect(names.length).toBeGreaterThanOrEqual(4)
})

test('all files together are the log that was signed, by either verifier; so is one after the other in one file', async () => {
  for (const named of [['.'], names]) {
    const { code, notes } = await verify(...named)
    expect(notes).toContain('These are the events of the log of')
    expect(code).toBe(0)
  }
  // Compressed files may follow each other in one (RFC 1952 §2.2).
  const all = Buffer.concat(names.map((name) => readFileSync(join(folder, name))))
  writeFileSync(join(folder, 'all.gz'), all)
  const manifests = names.map((name) => manifestBeside(name))
  const { first, before } = manifests[0]!
  const manifest = { ...manifests.at(-1), first, before }
  writeFileSync(join(folder, 'all.manifest.json'), JSON.stringify(manifest))
  expect((await verify('all.gz', '--manifest', 'all.manifest.json')).code).toBe(0)

  const program = ['examples/verify/verify.py', join(folder, 'all.gz')]
  const { stdout } = await python([...program, '--manifest', join(folder, 'all.manifest.json')])
  expect(stdout).toContain('These are the events of the log of')
})

const manifestBeside = (name: string) =>
  JSON.parse(readFileSync(join(folder, `${name.replace(/\.gz$/, '')}.manifest.json`), 'utf8')) as {
    readonly first: number
    readonly before: readonly string[]
  }

test('a file that is missing between others, and one too many, are named', async () => {
  rmSync(join(folder, names[1]!))
  const { code, out } = await verify('.')
  expect(code).toBe(1)
  expect(out).toMatch(new RegExp(`${names[2]!.replaceAll('.', '\\.')}:1 {2}missing: `))

  const again = await verify(names[0]!, names[0]!)
  expect(again.code).toBe(1)
  expect(again.out).toContain('duplicate')
})

test('a changed line is named by its file and its place there', async () => {
  const lines = textOf(names[2]!).split('\n')
  lines[3] = lines[3]!.replace('"allow"', '"hold"')
  rewrite(names[2]!, lines.join('\n'))
  const { code, out } = await verify('.')
  expect(code).toBe(1)
  expect(out).toContain(`${names[2]}:4  edited`)
})

test('what cannot be unpacked to its end is not what was recorded', async () => {
  truncateSync(join(folder, names[0]!), 300)
  const { code, notes } = await verify(names[0]!)
  expect(code).toBe(1)
  expect(notes).toContain('cannot be read')
})

test('a tail that was cut off shows, and a file without its manifest is refused', async () => {
  rewrite(names[1]!, textOf(names[1]!).split('\n').slice(0, -3).join('\n') + '\n')
  expect((await verify(names[1]!)).code).toBe(1)
  rmSync(join(folder, `${names[0]!.replace(/\.gz$/, '')}.manifest.json`))
  expect((await verify('.')).code).toBe(2)
})
