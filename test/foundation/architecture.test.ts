import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { expect, it } from 'vitest'

const root = new URL('../../', import.meta.url)
const page = readFileSync(new URL('docs/architecture.md', root), 'utf8')

/** The cells of the table below this heading. */
function table(heading: string): string[][] {
  const [, section] = page.split(`## ${heading}\n`)
  const lines = section!.split('\n## ', 1)[0]!.split('\n')
  const rows = lines.filter((line) => line.startsWith('| ') && !line.startsWith('| --'))
  return rows.slice(1).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  )
}

const named = (text: string) => [...text.matchAll(/`([\w./-]+(?:\.ts|\/))`/g)].map(([, it]) => it!)
const missing = (paths: readonly string[], folder: string) =>
  paths.filter((path) => !existsSync(new URL(`${folder}${path}`, root)))

it('follows a request through files that are there', () => {
  const steps = table('The way of one request')
  expect(steps.length).toBeGreaterThan(10)
  for (const [, , where] of steps) {
    expect(named(where!), where).not.toEqual([])
    expect(missing(named(where!), 'src/')).toEqual([])
  }
})

it('shows every folder, and where to begin in it', () => {
  const rows = table('The folders')
  const folders = readdirSync(new URL('src/', root), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
  expect(rows.map(([, folder]) => folder!.replaceAll('`', '')).toSorted()).toEqual(
    folders.toSorted(),
  )
  for (const [, folder, , order] of rows) {
    expect(named(order!), order).not.toEqual([])
    expect(missing(named(order!), `src/${folder!.replaceAll('`', '')}/`), order).toEqual([])
  }
})

it('names a test that is there for every invariant', () => {
  const invariants = table('What is always true')
  expect(invariants.length).toBeGreaterThan(10)
  for (const [, invariant, how, tests] of invariants) {
    expect(named(tests!), invariant).not.toEqual([])
    expect(missing(named(tests!), '')).toEqual([])
    const places = named(how!).map((it) => (it.startsWith('migrations/') ? it : `src/${it}`))
    expect(missing(places, '')).toEqual([])
  }
})
