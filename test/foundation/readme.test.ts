import { existsSync, mkdtempSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { loadPolicies } from '../../src/policy/load.ts'

const root = new URL('../../', import.meta.url)
const readme = readFileSync(new URL('README.md', root), 'utf8')
const folder = mkdtempSync(join(tmpdir(), 'sallyport-readme-'))

afterAll(() => rmSync(folder, { recursive: true }))

/** The example that begins with this comment, which names its file. */
function example(file: string): string {
  const blocks = [...readme.matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, text]) => text!)
  return blocks.find((text) => text.startsWith(`# ${file}\n`))!
}

it('has a first policy and a configuration that work as they stand', async () => {
  mkdirSync(join(folder, 'policies'))
  writeFileSync(join(folder, 'policies', 'crm.yaml'), example('policies/crm.yaml'))
  writeFileSync(join(folder, 'sallyport.yaml'), example('sallyport.yaml'))

  const config = loadConfig(join(folder, 'sallyport.yaml'), {
    DATABASE_URL: 'postgres://gateway@db/sallyport',
    OIDC_SECRET: 'a secret',
    CRM_TOKEN: 'another one',
  })
  const resources = config.resources.map(({ name, protocol }) => ({ name, protocol, facts: [] }))
  const policies = await loadPolicies(config.policies, { resources })
  expect(policies.rules.map(({ name }) => name)).toEqual([
    'agents-read-customers',
    'larger-refunds-need-a-support-lead',
  ])
})

it('points to files that are there', () => {
  const links = [...readme.matchAll(/\]\(([^)#:]+)\)/g)].map(([, path]) => path!)
  expect(links.length).toBeGreaterThan(10)
  expect(links.filter((path) => !existsSync(new URL(path, root)))).toEqual([])
})
