import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

const read = (name: string) => readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8')

test('the package has what the container image has', () => {
  const { files } = JSON.parse(read('package.json')) as { files: string[] }
  const image = read('Dockerfile')
    .split(/^FROM /m)
    .at(-1)!
  const copied = [...image.matchAll(/^COPY .* \/app\/([\w./-]+)$/gm)].map(([, to]) => to!)
  expect(copied).toContain('dist')
  // The one is always in a package, and the other is installed beside it.
  const needed = copied.filter((to) => to !== 'package.json' && to !== 'node_modules')
  expect(needed.filter((to) => !files.includes(to.split('/')[0]!))).toEqual([])
})
