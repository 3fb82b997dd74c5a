import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { createTestDatabase, storeKinds } from '../support/store.ts'
import { sallyport } from '../support/terminal.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-migrate-'))
  mkdirSync(join(folder, 'policies'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const resources =
  'resources: [{ name: crm, protocol: http, match: { prefix: /crm }, upstream: https://crm.test }]\n'

test('sallyport migrate: brings the schema up to date, again and again', async () => {
  const environment = { URL: storeKinds[0] === 'postgres' ? await createTestDatabase() : 'unused' }
  const store = storeKinds[0] === 'postgres' ? 'store: { url: ${URL} }\n' : ''
  writeFileSync(join(folder, 'sallyport.yaml'), store + resources)
  for (const time of ['first', 'second']) {
    const { code, notes } = await sallyport(['migrate'], { folder, environment })
    expect({ time, code, notes }).toEqual({ time, code: 0, notes: 'The schema is up to date.' })
  }
})

test('a database that does not answer: exit code 1, without its password', async () => {
  writeFileSync(join(folder, 'sallyport.yaml'), `store: { url: \${URL} }\n${resources}`)
  const environment = { URL: 'postgres://gate:hunter2@127.0.0.1:9/none' }
  const { code, notes } = await sallyport(['migrate'], { folder, environment })
  expect(code).toBe(1)
  expect(notes).toMatch(/^The store does not answer/)
  expect(notes).not.toContain('hunter2')
})
