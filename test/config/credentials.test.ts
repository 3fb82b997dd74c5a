import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { exposedListeners, isHostBelieved } from '../../src/config/exposed.ts'
import { loadConfig } from '../../src/config/load.ts'
import { configSchema } from '../../src/config/schema.ts'
import { MistakesError } from '../../src/core/errors.ts'

/** What makes credentials worth less than they look is said when the configuration is loaded. */

const folder = mkdtempSync(join(tmpdir(), 'sallyport-config-'))
mkdirSync(join(folder, 'policies'))
afterAll(() => rmSync(folder, { recursive: true }))

function complaints(identity: string, listen = '{}', database = ''): string[] {
  const file = join(folder, 'sallyport.yaml')
  writeFileSync(
    file,
    `listen: ${listen}
identity: ${identity}
resources:
  - { name: crm, protocol: http, match: { prefix: /crm }, upstream: https://crm.test }
${database}`,
  )
  try {
    loadConfig(file, {})
    return []
  } catch (error) {
    if (!(error instanceof MistakesError)) throw error
    return error.mistakes.map(({ message, remedy }) => `${message} → ${remedy}`)
  }
}

const issuer = 'https://idp.example.com'
const entry = (more = '') => `{ issuer: ${issuer}, audience: sallyport${more} }`
const asked = 'client_id: us, client_secret: secret'

test('an issuer whose ID tokens would pass as access tokens', () => {
  const login = (audience: string) =>
    `{ issuers: [{ issuer: ${issuer}, audience: ${audience} }], login: { issuer: ${issuer}, client_id: console, cli_client_id: cli } }`
  expect(complaints(login('sallyport'))).toEqual([])
  const mistake = [expect.stringMatching(/^ID tokens have this audience too/)]
  expect(complaints(login('console'))).toEqual(mistake)
  expect(complaints(login('cli'))).toEqual(mistake)
})

test('two issuers that would be shown each other’s opaque tokens', () => {
  const two = (tokens: string, other: string) =>
    `{ issuers: [${entry(`, introspection: { tokens: ${tokens}, ${asked} }`)}, { issuer: https://b.example.com, audience: a, introspection: { tokens: ${other}, ${asked} } }] }`
  expect(complaints(two('opaque', 'jwt'))).toEqual([])
  expect(complaints(two('opaque', 'all'))).toEqual([expect.stringMatching(/^Opaque tokens/)])
})

test('certificates that nobody can come with', () => {
  const certificates = '{ certificates: [{ dns: batch.example.com, name: batch }] }'
  const mistake = /^No listener asks for client certificates/
  expect(complaints(certificates)).toEqual([expect.stringMatching(mistake)])
  const tls = 'tls: { cert: no.pem, key: no.key, client_ca: no.pem }'
  const files = (said: string) => /cannot be read/.test(said)
  expect(complaints(certificates, `{ agents: { ${tls} } }`).every(files)).toBe(true)
  const database = `  - { name: db, protocol: postgres, listen: 127.0.0.1:0, ${tls}, upstream: { host: db, databases: [a] }, credential: { user: u, password: p } }\n`
  expect(complaints(certificates, '{}', database).every(files)).toBe(true)
})

test('an answer that is believed for too long', () => {
  const cached = (cache: string) =>
    `{ issuers: [${entry(`, introspection: { tokens: all, ${asked}, cache: ${cache} }`)}] }`
  expect(complaints(cached('60s'))).toEqual([])
  expect(complaints(cached('2m'))).toEqual([expect.stringMatching(/more than a minute/)])
})

test('events about nobody, or with keys that can be anybody’s', () => {
  const events = (more: string) => `{ issuers: [${entry()}], events: [{ audience: us, ${more} }] }`
  expect(complaints(events(`issuer: ${issuer}, about: [${issuer}]`))).toEqual([])
  expect(complaints(events(`issuer: ${issuer}, about: [https://other.example.com]`))).toEqual([
    expect.stringMatching(/^Nobody here has tokens or logins of this issuer/),
  ])
  expect(complaints(events(`issuer: http://idp.example.com, about: [${issuer}]`))).toEqual([
    expect.stringMatching(/^Keys fetched over http/),
  ])
})

test('client certificates that nobody asks for, or that have no name', () => {
  const agent = 'spiffe: "spiffe://example.org/ns/agents/*"'
  expect(complaints(`{ certificates: [{ ${agent} }] }`)).toEqual([
    expect.stringMatching(/^No listener asks/),
  ])
  for (const wrong of [
    `${agent}, name: bot`,
    'dns: bot.example.com',
    `${agent}, dns: bot.example.com`,
    'name: bot',
    'spiffe: "https://example.org/x"',
    'spiffe: "spiffe://example.org"',
  ])
    expect(complaints(`{ certificates: [{ ${wrong} }] }`)).not.toEqual([])
})

test('proxies that are trusted without a word on how people come, and what is no address', () => {
  const control = (more: string) => `{ control: { ${more} } }`
  const proxies = 'trusted_proxies: [10.0.0.0/8, "::1"]'
  expect(complaints('{}', control(`${proxies}, public_url: https://a.example.com`))).toEqual([])
  expect(complaints('{}', control(proxies))).toEqual([expect.stringMatching(/^Behind a proxy/)])
  expect(complaints('{}', control('trusted_proxies: [everybody]'))).toEqual([
    expect.stringMatching(/IP address or a range/),
  ])
})

test('credentials that would come without TLS', () => {
  const url = (host: string) => `{ agents: { public_url: http://${host} } }`
  expect(complaints('{}', url('127.0.0.1:8080'))).toEqual([])
  expect(complaints('{}', url('gateway.example.com'))).toEqual([
    expect.stringMatching(/without TLS/),
  ])
})

test('listeners that other machines reach without TLS are known', () => {
  const exposed = (listen: object) => exposedListeners(configSchema.shape.listen.parse(listen))
  expect(exposed({})).toEqual([])
  expect(exposed({ agents: { address: '0.0.0.0:8080' } })).toEqual(['agents'])
  expect(exposed({ agents: { address: '[::1]:8080' }, control: { address: '[::]:8081' } })).toEqual(
    ['control'],
  )
  const public_url = 'https://sallyport.example.com'
  expect(exposed({ control: { address: '0.0.0.0:8081', public_url } })).toEqual([])
})

test('it is known where proofs of possession are checked against nothing but the Host of a request', () => {
  const believed = (
    agents: object,
    issuers: object[] = [{ issuer: 'https://idp', audience: 'a' }],
  ) =>
    isHostBelieved({
      listen: configSchema.shape.listen.parse({ agents }),
      identity: configSchema.shape.identity.parse({ issuers }),
    })
  expect(believed({ address: '0.0.0.0:8080' })).toBe(true)
  expect(believed({ address: '0.0.0.0:8080', public_url: 'https://gateway.example.com' })).toBe(
    false,
  )
  expect(believed({ address: '127.0.0.1:8080' })).toBe(false)
  expect(believed({ address: '0.0.0.0:8080' }, [])).toBe(false)
})
