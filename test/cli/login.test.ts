import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Browser } from '../support/browser.ts'
import { startControlPlane, type TestControlPlane } from '../support/control-plane.ts'
import { writeProfile } from '../../src/cli/profile.ts'
import { sallyport } from '../support/terminal.ts'

let plane: TestControlPlane
let folder: string
let environment: Record<string, string>
beforeAll(async () => {
  plane = await startControlPlane()
  folder = mkdtempSync(join(tmpdir(), 'sallyport-login-'))
  environment = { XDG_CONFIG_HOME: folder }
})
afterAll(async () => {
  await plane.close()
  rmSync(folder, { recursive: true })
})

const profileFile = () => join(folder, 'sallyport/profile.json')

test('sallyport login: Dana opens the page, chooses herself, and the terminal is hers', async () => {
  const { promise: shown, resolve: show } = Promise.withResolvers<string>()
  // The quickstart of this folder has been used before.
  const quickstart = join(folder, 'data/profile.json')
  writeProfile(quickstart, {
    url: 'http://127.0.0.1:9',
    token: 'x',
    expires_at: null,
    refresh: null,
  })
  const login = sallyport(['login', plane.url], {
    environment,
    folder,
    onNote: (text) => {
      if (text.startsWith('Open')) show(text.split(/\s+/)[1]!)
    },
  })
  const browser = new Browser()
  const codePage = await browser.open(await shown)
  const confirm = await browser.submit(codePage, {})
  const chooser = await browser.submit(confirm, {})
  await browser.submit(chooser, { person: 'dana' })
  const { code: loggedIn, notes } = await login
  expect(loggedIn).toBe(0)
  expect(notes).toContain(`In this folder, ${quickstart} goes before it.`)

  expect(statSync(profileFile()).mode & 0o777).toBe(0o600)
  const { code, out } = await sallyport(['keys', 'list', '--json'], { environment })
  expect(code).toBe(0)
  expect(JSON.parse(out)).toEqual({ keys: [] })
})

test('a token that has ended is replaced, without another login', async () => {
  const before = JSON.parse(readFileSync(profileFile(), 'utf8'))
  expect(before.refresh.refresh_token).toEqual(expect.any(String))
  writeFileSync(
    profileFile(),
    JSON.stringify({ ...before, token: 'ended', expires_at: '2026-01-01T00:00:00.000Z' }),
  )
  expect(await sallyport(['keys', 'list'], { environment })).toMatchObject({ code: 0 })
  const after = JSON.parse(readFileSync(profileFile(), 'utf8'))
  expect(after.token).not.toBe('ended')
  expect(Date.parse(after.expires_at)).toBeGreaterThan(Date.now())
})

test('where nothing answers, it says so and ends with 1', async () => {
  const { code, notes } = await sallyport(['login', 'http://127.0.0.1:9'], { environment })
  expect(code).toBe(1)
  expect(notes).toContain('The control plane at http://127.0.0.1:9 cannot be reached')
})

test('what is no control plane is not taken for one', async () => {
  const { code, notes } = await sallyport(['login', plane.idp.issuer], { environment })
  expect(code).toBe(1)
  expect(notes).toMatch(/^404/)
})

describe('keys', () => {
  const as = async (person: string) => ({
    environment: { SALLYPORT_URL: plane.url, SALLYPORT_TOKEN: await plane.idp.personToken(person) },
  })

  test('are made, shown once, listed and revoked', async () => {
    const dana = await as('dana')
    const made = await sallyport(['keys', 'create', 'nightly', '--group', 'agents'], dana)
    expect(made).toMatchObject({ code: 0, out: expect.stringMatching(/^sp_\S+\n$/) })
    expect(made.notes).toContain('only time')

    const listed = await sallyport(['keys', 'list'], dana)
    expect(listed.out).toMatch(
      /^ID +NAME +KIND +OWNER +ENDS +LAST USED\n\S+ +nightly +agent +dana +no end +-\n$/,
    )

    const id = listed.out.split('\n')[1]!.split(' ')[0]!
    expect(await sallyport(['keys', 'revoke', id], dana)).toMatchObject({
      code: 0,
      notes: 'The key nightly is revoked.',
    })
    expect((await sallyport(['keys', 'list'], dana)).out).toContain('revoked')
  })

  test('are for administrators: exit code 1, and why', async () => {
    const { code, notes } = await sallyport(['keys', 'list'], await as('omar'))
    expect(code).toBe(1)
    expect(notes).toBe('forbidden: This needs the role admin.')
  })

  test('a token that is none: exit code 1', async () => {
    const environmentOfNobody = { SALLYPORT_URL: plane.url, SALLYPORT_TOKEN: 'nonsense' }
    const { code, notes } = await sallyport(['keys', 'list'], { environment: environmentOfNobody })
    expect(code).toBe(1)
    expect(notes).toMatch(/^unauthenticated: /)
  })
})
