import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'

interface Locked {
  version?: string
  resolved?: string
  hasInstallScript?: boolean
}

const read = (name: string) =>
  JSON.parse(readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8'))
const packages = Object.entries(
  read('package-lock.json').packages as Record<string, Locked>,
).filter(([path]) => path !== '')
const minimums = read('minimum-versions.json') as Record<
  string,
  { at_least: string; because: string }
>

const numbers = (version: string) => version.split(/[.-]/, 3).map(Number)

function olderThan(version: string, minimum: string): boolean {
  const wanted = numbers(minimum)
  const difference = numbers(version)
    .map((number, i) => number - wanted[i]!)
    .find((d) => d !== 0)
  return difference !== undefined && difference < 0
}

test('versions are compared as numbers', () => {
  expect(olderThan('7.9.0', '7.24.0')).toBe(true)
  expect(olderThan('7.24.0', '7.24.0')).toBe(false)
  expect(olderThan('10.0.0', '7.24.0')).toBe(false)
})

test.each(Object.entries(minimums))(
  '%s is at least as new as its last known hole',
  (name, { at_least }) => {
    const copies = packages.filter(([path]) => path.endsWith(`node_modules/${name}`))
    expect(copies.length).toBeGreaterThan(0)
    for (const [path, { version }] of copies)
      expect(
        olderThan(version!, at_least),
        `${path} is ${version}, and ${at_least} is needed`,
      ).toBe(false)
  },
)

test('no package runs a script when it is installed', () => {
  expect(packages.length).toBeGreaterThan(100)
  expect(packages.filter(([, { hasInstallScript }]) => hasInstallScript)).toEqual([])
})

test('the lock file names no registry, so that it serves behind any mirror', () => {
  expect(packages.filter(([, { resolved }]) => resolved !== undefined)).toEqual([])
})
