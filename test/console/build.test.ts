import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { build } from 'vite'
import { afterAll, beforeAll, expect, test } from 'vitest'

const ui = fileURLToPath(new URL('../../src/console/ui', import.meta.url))
let folder: string
/** What a browser loads before it shows anything, by file name. */
let files: Map<string, string>

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-build-'))
  await build({ root: ui, logLevel: 'error', build: { outDir: folder, emptyOutDir: true } })
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' })
  files = new Map(
    names
      .filter((name) => /\.(html|js|css|svg)$/.test(name))
      .map((name) => [name, readFileSync(join(folder, name), 'utf8')]),
  )
})
afterAll(() => rmSync(folder, { recursive: true }))

/** What the start page names, and what those files import in turn without being asked to. */
function firstLoad(): string[] {
  const page = files.get('index.html')!
  const found = new Set(['index.html'])
  const add = (name: string) => {
    if (found.has(name)) return
    found.add(name)
    const imports = files.get(name)!.matchAll(/(?:import|from)\s*"\.\/([^"]+)"/g)
    for (const [, imported] of imports) add(`assets/${imported}`)
  }
  for (const [, name] of page.matchAll(/(?:src|href)="\/([^"]+)"/g)) add(name!)
  return [...found]
}

const size = (names: readonly string[]) =>
  names.reduce((sum, name) => sum + gzipSync(files.get(name)!).length, 0)

test('the first load is one page, one script and one style sheet, under 60 kB', () => {
  const names = firstLoad()
  const kinds = names.map((name) => name.slice(name.lastIndexOf('.') + 1))
  expect(kinds.filter((kind) => kind === 'css')).toHaveLength(1)
  expect(names.some((name) => name.endsWith('.js'))).toBe(true)
  expect(size(names)).toBeLessThan(60_000)
})

test('pages that not everybody opens come when they are opened, and all of it is small', () => {
  const later = [...files.keys()].filter((name) => !firstLoad().includes(name))
  const text = later.map((name) => files.get(name)).join('')
  for (const words of ['Format of the export', 'all others', 'What would be decided?', 'New key']) {
    expect(text).toContain(words)
    expect(
      firstLoad()
        .map((name) => files.get(name))
        .join(''),
    ).not.toContain(words)
  }
  expect(size([...files.keys()])).toBeLessThan(120_000)
})

test('nothing in it is against the content security policy', () => {
  const page = files.get('index.html')!
  expect(page).not.toMatch(/<style|\sstyle=|\son\w+=|<script(?![^>]*\ssrc="\/assets\/)/)
  for (const [name, text] of files) {
    expect(text, name).not.toMatch(/data:(image|font|text|application)/)
    // The one address in it is the name of the SVG vocabulary, which nobody fetches.
    const addresses = text.match(/https?:\/\/[\w.-]+\/[^"'`\s)]*/g) ?? []
    expect(new Set(addresses.filter((it) => !it.startsWith('http://www.w3.org/'))), name).toEqual(
      new Set(),
    )
  }
})

test('class 24, deceiving the approver: no text is ever taken for mark-up', () => {
  const sources = readdirSync(ui, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.tsx?$/.test(name),
  )
  expect(sources.length).toBeGreaterThan(30)
  for (const name of sources) {
    expect(readFileSync(join(ui, name), 'utf8'), name).not.toMatch(
      /dangerouslySetInnerHTML|innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function/,
    )
  }
})
