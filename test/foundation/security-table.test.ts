import { existsSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const root = new URL('../../', import.meta.url)
const page = readFileSync(new URL('docs/security.md', root), 'utf8')
const rows = page.split('\n').filter((line) => /^\| \d/.test(line))

it('names a test that is there for every attack class', () => {
  expect(rows.length).toBeGreaterThan(10)
  for (const row of rows) {
    const tests = [...row.matchAll(/`(test\/[^`]+)`/g)].map(([, path]) => path!)
    expect(tests, row).not.toEqual([])
    expect(
      tests.filter((path) => !existsSync(new URL(path, root))),
      row,
    ).toEqual([])
  }
})
