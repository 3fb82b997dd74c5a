import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { findProfile, userProfile, writeProfile } from '../../src/cli/profile.ts'

let folder: string
let environment: Record<string, string>
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-profile-'))
  environment = { XDG_CONFIG_HOME: join(folder, 'config') }
})
afterEach(() => rmSync(folder, { recursive: true }))

const profile = { url: 'https://gate.test', token: 'mine', expires_at: null, refresh: null }

test('the profile is written for its user alone, and found again', () => {
  const file = userProfile(environment)
  expect(file).toBe(join(folder, 'config/sallyport/profile.json'))
  writeProfile(file, profile)
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(findProfile(environment, folder)).toEqual({ ...profile, file })
  writeProfile(file, { ...profile, token: 'newer' })
  expect(findProfile(environment, folder).token).toBe('newer')
})

test('beside a quickstart, its profile comes first', () => {
  writeProfile(userProfile(environment), profile)
  writeProfile(join(folder, 'data/profile.json'), { ...profile, url: 'http://127.0.0.1:8081' })
  expect(findProfile(environment, folder).url).toBe('http://127.0.0.1:8081')
})

test('the environment comes before every file', () => {
  writeProfile(userProfile(environment), profile)
  const explicit = {
    ...environment,
    SALLYPORT_URL: 'https://other.test',
    SALLYPORT_TOKEN: 'theirs',
  }
  expect(findProfile(explicit, folder)).toMatchObject({
    url: 'https://other.test',
    token: 'theirs',
  })
})

test('a stored token goes to no other address', () => {
  writeProfile(userProfile(environment), profile)
  const elsewhere = { ...environment, SALLYPORT_URL: 'https://evil.test' }
  expect(() => findProfile(elsewhere, folder)).toThrow('There is no token for https://evil.test')
})

test('without any, it says how to get one', () => {
  expect(() => findProfile(environment, folder)).toThrow('You are not logged in.')
})

test('a profile that others can read is refused', () => {
  const file = userProfile(environment)
  writeProfile(file, profile)
  chmodSync(file, 0o644)
  expect(() => findProfile(environment, folder)).toThrow('others can read it (mode 644)')
})

test('a damaged profile is refused without quoting it', () => {
  const file = userProfile(environment)
  mkdirSync(join(folder, 'config/sallyport'), { recursive: true })
  writeFileSync(file, '{"url":"https://gate.test","token":"hunter2"', { mode: 0o600 })
  expect(() => findProfile(environment, folder)).toThrow(`${file} is damaged.`)
})
