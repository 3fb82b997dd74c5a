import { execFile } from 'node:child_process'
import { sign, verify } from 'node:crypto'
import {
  chmodSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { openSecrets } from '../../src/config/secrets.ts'

let folder: string
let file: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-secrets-'))
  file = join(folder, 'secrets.json')
})
afterEach(() => rmSync(folder, { recursive: true }))

test('the first start creates secrets that nobody else can read; the second finds them', () => {
  const first = openSecrets(file)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(readdirSync(folder)).toEqual(['secrets.json'])
  const second = openSecrets(file)
  expect(second.cookieKey).toEqual(first.cookieKey)
  expect(second.bindingKey).toEqual(first.bindingKey)
  expect(second.sealingKey).toEqual(first.sealingKey)
  expect(new Set([first.cookieKey, first.bindingKey, first.sealingKey].map(String)).size).toBe(3)
  const signature = sign(null, Buffer.from('checkpoint'), first.signingKey)
  expect(verify(null, Buffer.from('checkpoint'), second.signingPublicKey, signature)).toBe(true)
})

test('processes that start together agree on one set of secrets', async () => {
  const script = `import { openSecrets } from '${new URL('../../src/config/secrets.ts', import.meta.url).href}'
    console.log(openSecrets(process.argv[1]).cookieKey.toString('hex'))`
  const starts = Array.from({ length: 4 }, () =>
    promisify(execFile)(process.execPath, ['--input-type=module', '-e', script, file]),
  )
  const keys = (await Promise.all(starts)).map(({ stdout }) => stdout)
  expect(new Set(keys).size).toBe(1)
  expect(readdirSync(folder)).toEqual(['secrets.json'])
})

test('a file that others can read is refused, with the command that helps', () => {
  openSecrets(file)
  chmodSync(file, 0o640)
  expect(() => openSecrets(file)).toThrow(
    `The file holds secrets, and others can read it (mode 640).\n    → Take their access away: chmod 600 ${file}`,
  )
})

test.each([
  ['empty', () => ''],
  ['cut off', (text: string) => text.slice(0, 100)],
  ['without a key', (text: string) => text.replace(/"binding_key.*/, '')],
  ['with a short key', (text: string) => text.replace(/("cookie_key": ").*"/, '$1c2hvcnQ="')],
  [
    'with a signing key that is none',
    (text: string) => text.replace(/("signing_key": ").*"/, '$1AAAA"'),
  ],
  ['of a later version', (text: string) => text.replace('"version": 1', '"version": 2')],
])('a file that is %s is refused, and left as it is', (_, damage) => {
  openSecrets(file)
  const damaged = damage(readFileSync(file, 'utf8'))
  writeFileSync(file, damaged)
  expect(() => openSecrets(file)).toThrow('The secrets file is damaged.')
  expect(readFileSync(file, 'utf8')).toBe(damaged)
})

test('a damaged file is not quoted in the error', () => {
  writeFileSync(file, '{"version":1,"cookie_key":"aHVudGVyMg==', { mode: 0o600 })
  expect(() => openSecrets(file)).toThrow(/^(?!.*aHVudGVyMg)/s)
})

test('a place where nothing can be written is named', () => {
  writeFileSync(join(folder, 'taken'), '')
  expect(() => openSecrets(join(folder, 'taken/secrets.json'))).toThrow(
    /secrets\.json {2}The file cannot be (opened|written) \(ENOTDIR\)/,
  )
})
