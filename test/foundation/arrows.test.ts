import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

// The linter keeps the same arrows in editors. A linter that matches nothing reports nothing, so this reads the imports itself.

const src = fileURLToPath(new URL('../../src/', import.meta.url))

const spine = ['store', 'config', 'telemetry', 'core']
const belowGate = ['identity', 'policy', 'approvals', 'audit', 'usage', ...spine]

/** What each folder may import, besides itself. */
const arrows: Record<string, readonly string[]> = {
  core: [],
  config: ['core'],
  telemetry: ['core'],
  store: ['config', 'telemetry', 'core'],
  policy: ['core'],
  identity: spine,
  approvals: spine,
  audit: spine,
  usage: spine,
  gate: belowGate,
  protocols: ['gate', 'identity', 'config', 'telemetry', 'core'],
  channels: ['gate', ...belowGate],
  console: ['gate', ...belowGate],
  quickstart: ['config', 'telemetry', 'core'],
  app: ['protocols', 'channels', 'console', 'gate', ...belowGate],
  'app.ts': ['app', 'gate', ...belowGate],
  cli: ['app.ts', 'quickstart', 'protocols', 'channels', 'console', 'gate', ...belowGate],
}

/** Protocols do not know each other, nor do channels: there, the room is the folder below. */
const roomOf = (path: string) =>
  path.split('/', /^(protocols|channels)\//.test(path) ? 2 : 1).join('/')

const modules = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .filter((path) => /\.tsx?$/.test(path))
  .map((path) => ({ path, text: readFileSync(join(src, path), 'utf8') }))

const statements =
  /\b(?:import|export)\b[^'"`;()]*?\bfrom\s*['"]([^'"]+)['"]|\bimport\s*\(?\s*['"]([^'"]+)['"]/g

const imports = modules.flatMap(({ path, text }) =>
  [...text.matchAll(statements)]
    .map(([, from, bare]) => from ?? bare!)
    .filter((name) => name.startsWith('.'))
    .map((name) => ({ from: path, to: relative(src, join(src, dirname(path), name)) })),
)

test('modules were read, and so were their imports', () => {
  expect(modules.length).toBeGreaterThan(12)
  expect(imports.length).toBeGreaterThan(12)
  expect(imports).toContainEqual({ from: 'core/errors.ts', to: 'core/reasons.ts' })
  expect(imports.filter(({ to }) => !existsSync(join(src, to)))).toEqual([])
})

test('imports only point down', () => {
  const broken = imports.filter(({ from, to }) => {
    const [room, target] = [roomOf(from), roomOf(to)]
    return room !== target && !arrows[room.split('/')[0]!]?.includes(target.split('/')[0]!)
  })
  expect(broken).toEqual([])
})

test('there is no circle of imports', () => {
  const to = Map.groupBy(imports, (edge) => edge.from)
  const done = new Set<string>()
  const circles: string[] = []
  const visit = (path: string, trail: readonly string[]) => {
    if (trail.includes(path)) circles.push([...trail.slice(trail.indexOf(path)), path].join(' → '))
    if (done.has(path) || trail.includes(path)) return
    for (const edge of to.get(path) ?? []) visit(edge.to, [...trail, path])
    done.add(path)
  }
  for (const { path } of modules) visit(path, [])
  expect(circles).toEqual([])
})

const holders = (words: RegExp) =>
  modules.filter(({ text }) => words.test(text)).map(({ path }) => path)

test('only the gate makes permits', () => {
  expect(holders(/\bissuePermit\b/)).toContain('gate/permit.ts')
  expect(holders(/\bissuePermit\b/).filter((path) => roomOf(path) !== 'gate')).toEqual([])
})

test('audit rows are written in one room', () => {
  const writers = holders(/\b(insert\s+into|copy)\s+(sallyport\.)?audit_/i)
  expect(writers.filter((path) => roomOf(path) !== 'audit')).toEqual([])
})
