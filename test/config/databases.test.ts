import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { MistakesError } from '../../src/core/errors.ts'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-config-'))
mkdirSync(join(folder, 'policies'))
afterAll(() => rmSync(folder, { recursive: true }))

function load(yaml: string) {
  const file = join(folder, 'sallyport.yaml')
  writeFileSync(file, `resources:\n${yaml}`)
  return loadConfig(file, {})
}

function complaints(yaml: string): string[] {
  try {
    load(yaml)
  } catch (error) {
    if (!(error instanceof MistakesError)) throw error
    return error.mistakes.map(({ line, message, remedy }) => `${line} ${message} → ${remedy}`)
  }
  return []
}

const database = (name: string, listen: string, rest = 'trusted: true') =>
  `  - { name: ${name}, protocol: postgres, listen: ${listen}, upstream: { host: db, databases: [a] }, credential: { user: u, password: p }, ${rest} }\n`

describe('a database in the configuration', () => {
  test('verifies its server unless it is told otherwise', () => {
    const { resources } = load(database('db', '127.0.0.1:6432'))
    expect(resources[0]).toMatchObject({
      protocol: 'postgres',
      listen: { host: '127.0.0.1', port: 6432 },
      upstream: { port: 5432, tls: 'verify-full' },
      wait: 600_000,
    })
  })

  test('takes tokens in clear text only where somebody says that this is safe', () => {
    expect(complaints(database('db', '0.0.0.0:6432', 'wait: 1m'))).toEqual([
      '2 Agents would send their tokens to this listener in clear text. → Add tls with a certificate; or trusted: true, where nobody can listen in.',
    ])
  })

  test('has a port of its own', () => {
    const both = database('a', '127.0.0.1:6432') + database('b', '0.0.0.0:6432')
    expect(complaints(both)).toEqual([
      expect.stringMatching(/^3 Another listener of this gateway has this port\./),
    ])
    expect(complaints(database('a', '127.0.0.1:8080'))).toHaveLength(1)
    expect(complaints(database('a', '127.0.0.1:0') + database('b', '127.0.0.1:0'))).toEqual([])
  })

  test('with the keys of an API is told what it may have', () => {
    expect(complaints(database('db', '127.0.0.1:6432', 'match: { prefix: /x }'))).toEqual([
      expect.stringContaining('resources[0] has no key "match"'),
    ])
    const unknown = database('db', '127.0.0.1:6432').replace('postgres', 'oracle')
    expect(complaints(unknown)).toHaveLength(1)
  })
})
