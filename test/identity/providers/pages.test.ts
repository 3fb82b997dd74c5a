import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { stringify } from 'yaml'
import { loadConfig } from '../../../src/config/load.ts'
import { configurationOf } from './provider.ts'

/** What the pages tell people to write is a configuration that the gateway starts with. */

const folder = mkdtempSync(join(tmpdir(), 'sallyport-pages-'))
mkdirSync(join(folder, 'policies'))
afterAll(() => rmSync(folder, { recursive: true }))

const pages = readdirSync(new URL('../../../docs/identity/', import.meta.url))
  .filter((name) => name !== 'README.md')
  .map((name) => name.replace('.md', ''))

test('there is a page, with a test, for each provider', () => {
  const tests = readdirSync(new URL('.', import.meta.url))
  expect(pages).toHaveLength(6)
  for (const page of pages) expect(tests).toContain(`${page}.test.ts`)
})

test.each(pages)('%s', (page) => {
  const file = join(folder, `${page}.yaml`)
  const crm = {
    name: 'crm',
    protocol: 'http',
    match: { prefix: '/crm' },
    upstream: 'https://crm.test',
  }
  writeFileSync(file, stringify({ identity: configurationOf(page), resources: [crm] }))
  const { identity } = loadConfig(file, { OIDC_SECRET: 'secret', KEYCLOAK_SECRET: 'secret' })
  expect(identity.issuers).toHaveLength(1)
})
