import { execFile } from 'node:child_process'
import { createPublicKey, sign, verify } from 'node:crypto'
import {
  chmodSync,
  mkdirSync,
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
import { Signer } from '@fastify/cookie'
import { settles } from '../../src/config/keyring.ts'
import { openSecrets, rotateSecrets } from '../../src/config/secrets.ts'
import { cookieSigner } from '../../src/console/cookie-signer.ts'
import { Sealer } from '../../src/store/sealer.ts'
import { sallyport } from '../support/terminal.ts'

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
  expect(second.cookies).toEqual(first.cookies)
  expect(second.bindingKey).toEqual(first.bindingKey)
  expect(second.sealing).toEqual(first.sealing)
  const keys = [first.cookies.current(), first.bindingKey, first.sealing.current()]
  expect(new Set(keys.map(String)).size).toBe(3)
  const signature = sign(null, Buffer.from('checkpoint'), first.signing[0]!)
  const publicKey = createPublicKey(second.signing[0]!)
  expect(verify(null, Buffer.from('checkpoint'), publicKey, signature)).toBe(true)
})

test('processes that start together agree on one set of secrets', async () => {
  const script = `import { openSecrets } from '${new URL('../../src/config/secrets.ts', import.meta.url).href}'
    console.log(openSecrets(process.argv[1]).cookies.current().toString('hex'))`
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

const day = 24 * 3_600_000

test('rotated keys read what the old ones wrote, and write only when every replica has had time to get them', () => {
  const before = openSecrets(file)
  const cookie = cookieSigner(before.cookies).sign('a session')
  const { sealed } = new Sealer(before.sealing).seal(Buffer.from('an answer'), 'here')
  rotateSecrets(file)
  expect(statSync(file).mode & 0o777).toBe(0o600)

  const after = openSecrets(file)
  expect(cookieSigner(after.cookies).unsign(cookie)).toMatchObject({
    valid: true,
    value: 'a session',
  })
  expect(new Sealer(after.sealing).open(sealed, 'here').toString()).toBe('an answer')
  expect(after.bindingKey).toEqual(before.bindingKey)

  expect(after.cookies.current()).toEqual(before.cookies.current())
  const later = after.cookies.current(Date.now() + settles + 1)
  expect(later).not.toEqual(before.cookies.current())
  // Written by a replica that is ahead by then, read by one whose clock says otherwise.
  const ahead = new Signer(later).sign('a session')
  expect(cookieSigner(after.cookies).unsign(ahead)).toMatchObject({ valid: true })
  expect(cookieSigner(before.cookies).unsign(ahead)).toMatchObject({ valid: false })
})

test('a new key signs beside the one before it, so that who knows that one comes to know it', () => {
  const [first] = openSecrets(file).signing
  rotateSecrets(file)
  const [second, before] = openSecrets(file).signing
  expect(before!.equals(first!)).toBe(true)
  expect(second!.equals(first!)).toBe(false)
  rotateSecrets(file)
  const after = openSecrets(file).signing
  expect(after).toHaveLength(2)
  expect(after[1]!.equals(second!)).toBe(true)
})

test('what was sealed cannot be opened in another place, by whichever key', () => {
  const { sealed } = new Sealer(openSecrets(file).sealing).seal(Buffer.from('an answer'), 'here')
  rotateSecrets(file)
  expect(() => new Sealer(openSecrets(file).sealing).open(sealed, 'there')).toThrow()
})

test('old keys are forgotten when nothing can be left that they have written', () => {
  const before = openSecrets(file)
  const start = Date.now()
  rotateSecrets(file, new Date(start))
  rotateSecrets(file, new Date(start + 10 * day))
  expect(openSecrets(file).cookies.all).toHaveLength(3)
  rotateSecrets(file, new Date(start + 40 * day))
  const { all } = openSecrets(file).cookies
  expect(all).toHaveLength(3)
  expect(all.map(({ key }) => String(key))).not.toContain(String(before.cookies.current()))
})

test('sallyport secrets rotate: says what has to be done next', async () => {
  const config = join(folder, 'sallyport.yaml')
  mkdirSync(join(folder, 'policies'))
  writeFileSync(
    config,
    'resources: [{ name: crm, protocol: http, match: { prefix: /crm }, upstream: https://crm.test }]\n',
  )
  const { code, notes } = await sallyport(['secrets', 'rotate'], { folder })
  expect(code).toBe(0)
  expect(notes).toContain('restart them one after another within the hour')
  expect(openSecrets(file).cookies.all).toHaveLength(2)
})
