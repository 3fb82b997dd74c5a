import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { sallyport } from '../support/terminal.ts'

const checkout = fileURLToPath(new URL('../../', import.meta.url))

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-policy-'))
  mkdirSync(join(folder, 'policies'))
  // Its variables are not set: policies can be checked without the gateway's secrets.
  write(
    'sallyport.yaml',
    `store: { url: \${DATABASE_URL} }
resources:
  - { name: crm, protocol: http, match: { prefix: /crm }, upstream: 'https://\${CRM}' }
`,
  )
  write(
    'policies/crm.yaml',
    'rules:\n  - { name: read, on: crm, what: { http: { method: GET } }, then: allow }\n',
  )
  write('policies/crm.test.yaml', tests('allow'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const write = (name: string, text: string) => writeFileSync(join(folder, name), text)

const tests = (decision: string) => `subjects:
  bot: { kind: agent }
tests:
  - { name: reading goes, subject: bot, on: crm, http: { method: GET, path: / }, decision: ${decision} }
`

test('policy check: valid, with the hash that decisions will name', async () => {
  const { code, out } = await sallyport(['policy', 'check'], { folder })
  expect(code).toBe(0)
  expect(out).toMatch(/^The policies in policies are valid\.\nrules  1\nhash   [0-9a-f]{64}\n$/)
  const { out: json } = await sallyport(['policy', 'check', '--json'], { folder })
  expect(JSON.parse(json)).toMatchObject({ rules: ['read'] })
})

test('policy check: exit code 1, and where what is wrong', async () => {
  write('policies/crm.yaml', 'rules:\n  - { name: read, on: crmm, then: alow }\n')
  const { code, notes } = await sallyport(['policy', 'check'], { folder })
  expect(code).toBe(1)
  expect(notes).toMatch(/^policies\/crm\.yaml:2:/)
})

test('policy test: what decides otherwise is named, with exit code 1', async () => {
  expect(await sallyport(['policy', 'test'], { folder })).toMatchObject({
    code: 0,
    out: '1 passed, 0 failed\n',
  })
  write('policies/crm.test.yaml', tests('deny'))
  const { code, out } = await sallyport(['policy', 'test'], { folder })
  expect(code).toBe(1)
  expect(out).toBe(
    'policies/crm.test.yaml:4  reading goes\n    the decision is allow, not deny\n0 passed, 1 failed\n',
  )
})

test('policy test: without tests it says no', async () => {
  rmSync(join(folder, 'policies/crm.test.yaml'))
  expect((await sallyport(['policy', 'test'], { folder })).code).toBe(1)
})

test('policy explain: why a test is decided as it is', async () => {
  const { code, out } = await sallyport(['policy', 'explain', 'reading'], { folder })
  expect(code).toBe(0)
  expect(out).toContain('allow: rule-allowed by read')
  expect(out).toContain('✓ what.http.method: wants GET; is GET')
  expect((await sallyport(['policy', 'explain', 'no such test'], { folder })).code).toBe(1)
})

test('the shipped policies are valid, and decide as their tests say', async () => {
  expect(await sallyport(['policy', 'check'], { folder: checkout })).toMatchObject({ code: 0 })
  const { code, out } = await sallyport(['policy', 'test'], { folder: checkout })
  expect(code).toBe(0)
  expect(out).toMatch(/^\d+ passed, 0 failed\n$/)
})

test('serve --check: configuration and policies in one go, nothing started', async () => {
  write('policies/crm.yaml', 'rules:\n  - { name: read, on: crmm, then: allow }\n')
  const { code, notes } = await sallyport(['serve', '--check'], { folder })
  expect(code).toBe(1)
  expect(notes).toContain('sallyport.yaml:1:15  The environment variable DATABASE_URL is not set.')
  expect(notes).toContain('policies/crm.yaml:2:')

  write('policies/crm.yaml', 'rules:\n  - { name: read, on: crm, then: allow }\n')
  const environment = { DATABASE_URL: 'postgres://nowhere/x', CRM: 'crm.test' }
  const valid = await sallyport(['serve', '--check'], { folder, environment })
  expect(valid).toMatchObject({ code: 0, notes: 'sallyport.yaml and its policies are valid.' })
})

test('serve without a configuration says what to do', async () => {
  rmSync(join(folder, 'sallyport.yaml'))
  const { code, notes } = await sallyport(['serve'], { folder })
  expect(code).toBe(1)
  expect(notes).toContain('sallyport.yaml  There is no such file.')
})
