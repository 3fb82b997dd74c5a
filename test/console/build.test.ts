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

const kindsOf = (names: Iterable<string>) =>
  [...names].map((name) => name.slice(name.lastIndexOf('.') + 1)).toSorted()

test('the first load is one page, one script and one style sheet, under 60 kB', () => {
  expect(kindsOf(files.keys())).toEqual(['css', 'html', 'js', 'svg'])
  const size = [...files.values()].reduce((sum, text) => sum + gzipSync(text).length, 0)
  expect(size).toBeLessThan(60_000)
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
