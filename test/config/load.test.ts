import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { MistakesError } from '../../src/core/errors.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'sallyport-config-'))
  mkdirSync(join(folder, 'policies'))
})
afterAll(() => rmSync(folder, { recursive: true }))

function load(yaml: string, environment: Record<string, string> = {}) {
  const file = join(folder, 'sallyport.yaml')
  writeFileSync(file, yaml)
  return loadConfig(file, environment)
}

/** What is said about a configuration, without the folder: `line:column message → remedy`. */
function complaints(yaml: string, environment: Record<string, string> = {}): string[] {
  try {
    load(yaml, environment)
  } catch (error) {
    if (!(error instanceof MistakesError)) throw error
    return error.mistakes.map(
      ({ line, column, message, remedy }) =>
        `${line}:${column} ${message}${remedy ? ` → ${remedy}` : ''}`,
    )
  }
  return []
}

const crm =
  'resources:\n  - { name: crm, protocol: http, match: { prefix: /crm }, upstream: https://crm.test }\n'

describe('a configuration', () => {
  test('needs one resource; everything else has a default', () => {
    const config = load(crm)
    expect(config.listen.agents.address).toEqual({ host: '127.0.0.1', port: 8080 })
    expect(config.listen.agents.max_wait).toBe(600_000)
    expect(config.hold).toMatchObject({ max_body: 1_048_576, on_disconnect: 'detach' })
    expect(config.store).toBeUndefined()
  })

  test('is the one that the documentation shows', () => {
    const page = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8')
    const [, example] = /```yaml\n(.*?)```/s.exec(page)!
    const environment = { DATABASE_URL: 'postgres://db/x', OIDC_SECRET: 'a', CRM_TOKEN: 'b' }
    expect(load(example!, environment).resources[0]?.name).toBe('crm')
  })

  test('has paths that are relative to its own folder', () => {
    const config = load(`data: var/data\nsecrets: { file: ../keys.json }\n${crm}`)
    expect(config.data).toBe(join(folder, 'var/data'))
    expect(config.secrets.file).toBe(join(folder, '../keys.json'))
    expect(config.policies).toBe(join(folder, 'policies'))
  })

  test('reports every mistake at once, where it is and with what to do', () => {
    const yaml = `listen:
  agents: { adress: 0.0.0.0:8080, wait: 5 minutes }
store: { url: mysql://db }
identity:
  issuers:
    - issuer: https://idp.test
      audience: 42
  login: { issuer: https://idp.test }
resources:
  - name: crm
    protocol: http
    match: { prefixx: /crm }
    upstream: crm.test
tracing: yes
`
    expect(complaints(yaml)).toEqual([
      '2:13 listen.agents has no key "adress". → Did you mean "address"?',
      '2:41 listen.agents.wait is not valid. → Write a whole number and a unit: 500ms, 30s, 15m, 2h or 7d.',
      '3:15 store.url is not valid. → Write a postgres:// URL.',
      '7:17 identity.issuers[0].audience has to be text, and is a number. → Put it in quotes.',
      '8:10 identity.login.client_id is missing. → Add it: client of the console at the identity provider.',
      '12:14 resources[0].match has no key "prefixx". → Did you mean "prefix"?',
      '13:15 resources[0].upstream is not valid. → Write a URL that starts with https:// or http://.',
      expect.stringMatching(/^14:1 The file has no key "tracing"\. → Keys here: listen, /),
    ])
  })

  test('that does not exist is named, with what to do', () => {
    expect(() => loadConfig(join(folder, 'nowhere.yaml'), {})).toThrow(
      /nowhere\.yaml {2}There is no such file\.\n {4}→ Name the configuration with --config/,
    )
  })

  test('that is empty says what is missing', () => {
    expect(complaints('')).toEqual(['1:1 The file has to be a mapping, and is empty.'])
  })
})

describe('YAML that is broken', () => {
  test('is refused where it breaks', () => {
    expect(complaints(`listen:\n\tagents: {}\n${crm}`)[0]).toMatch(/^2:1 .*Tabs are not allowed/)
    expect(complaints(`data: "./data\n${crm}`)[0]).toMatch(/Missing closing "quote/)
  })

  test('with a key twice is refused, together with other mistakes', () => {
    expect(complaints(`data: a\ndata: b\nlog: { level: loud }\n${crm}`)).toEqual([
      '2:1 This key is there twice. → Keep one.',
      '3:15 log.level is not valid. → Write one of "debug"|"info"|"warn"|"error"',
    ])
  })

  test('with tags, unknown anchors or exploding aliases is refused', () => {
    expect(complaints(`data: !!js/function x\n${crm}`)[0]).toMatch(/^1:7 This is not valid YAML/)
    expect(complaints(`data: *gone\n${crm}`)).toEqual(['1:7 This alias has no anchor before it.'])
    const bomb = Array.from(
      { length: 12 },
      (_, i) => `a${i + 1}: &a${i + 1} [${Array(10).fill(`*a${i}`).join(', ')}]\n`,
    ).join('')
    expect(() => load(`a0: &a0 x\n${bomb}${crm}`)).toThrow('unfold to too much')
  })
})

describe('an environment variable', () => {
  test('is put into strings, in every style of YAML', () => {
    const yaml = `store: { url: \${DATABASE_URL} }
resources:
  - name: crm
    protocol: http
    match: { prefix: /crm }
    upstream: https://\${HOST}
    credential: { header: Authorization, value: 'Bearer \${TOKEN}' }
`
    const config = load(yaml, { DATABASE_URL: 'postgres://db/x', HOST: 'crm.test', TOKEN: 'abc' })
    expect(config.store).toEqual({ url: 'postgres://db/x' })
    expect(config.resources[0]).toMatchObject({
      upstream: 'https://crm.test',
      credential: { value: 'Bearer abc' },
    })
  })

  test('never becomes YAML, nor is its value looked at again', () => {
    const config = load(`data: \${DATA}\n${crm}`, {
      DATA: 'x }\nmode: { ${OTHER} $${',
      OTHER: 'no',
    })
    expect(config.data).toBe(join(folder, 'x }\nmode: { ${OTHER} $${'))
  })

  test('can be escaped', () => {
    expect(load(`data: a$\${b\n${crm}`).data).toBe(join(folder, 'a${b'))
  })

  test('that is missing or empty is one mistake, which names it', () => {
    const yaml = `store: { url: \${DATABASE_URL} }\ndata: "\${HOME_DIR}/x"\n${crm}`
    expect(complaints(yaml, { HOME_DIR: '' })).toEqual([
      '1:15 The environment variable DATABASE_URL is not set. → Set DATABASE_URL before starting, or write the value here.',
      '2:7 The environment variable HOME_DIR is empty. → Set HOME_DIR before starting, or write the value here.',
    ])
  })

  test('that is not closed is a mistake', () => {
    expect(complaints(`data: a\${b\n${crm}`)[0]).toContain('1:7 "${" starts a variable here')
  })

  test('in the place of a key is shown as it was written', () => {
    expect(complaints(`\${KEY}: 1\n${crm}`, { KEY: 'hunter2' })[0]).toContain('has no key "${KEY}"')
  })
})

describe('a secret', () => {
  const secret = 'hunter2-hunter2'

  test.each([
    ['of the wrong shape', `store: { url: ${secret} }\n${crm}`],
    ['from the environment', `store: { url: \${SECRET} }\n${crm}`],
    ['in broken YAML', `store: { url: "x" ${secret} }\n${crm}`],
    ['after a wrong escape', `store: { url: "\\q${secret}" }\n${crm}`],
    ['in an alias', `store: { url: *${secret} }\n${crm}`],
    ['in a tag', `store: { url: !${secret} x }\n${crm}`],
    ['as a mode', `log: { level: ${secret} }\n${crm}`],
  ])('%s is not repeated in the error', (_, yaml) => {
    const said = complaints(yaml, { SECRET: secret })
    expect(said.length).toBeGreaterThan(0)
    expect(said.join('\n')).not.toContain(secret)
  })

  test('that would split a header is refused', () => {
    const yaml = `resources:\n  - { name: crm, protocol: http, match: { prefix: /crm }, upstream: https://crm.test, credential: { header: X-Key, value: "\${KEY}" } }\n`
    const said = complaints(yaml, { KEY: `a\r\nX-Admin: ${secret}` })
    expect(said[0]).toContain('characters that a header cannot carry')
    expect(said.join()).not.toContain(secret)
  })
})

const resource = (name: string, match: string, rest = '') =>
  `  - { name: ${name}, protocol: http, match: { ${match} }, upstream: https://a.test${rest} }\n`

describe('keys that contradict each other', () => {
  test('a name, a prefix or a host for two resources', () => {
    const yaml = `resources:\n${resource('a', 'prefix: /crm')}${resource('a', 'prefix: /crm')}${resource('b', 'prefix: /crm/orders')}${resource('c', 'prefix: /crm-2')}${resource('d', 'host: a.test')}${resource('e', 'host: a.test')}`
    expect(complaints(yaml).map((line) => line.split(' →')[0])).toEqual([
      '3:13 Another resource is called a.',
      '3:39 These requests are for the resource a already.',
      '4:39 These requests are for the resource a already.',
      '7:39 These requests are for the resource d already.',
    ])
  })

  test('a wider prefix after a narrower one is found too', () => {
    const yaml = `resources:\n${resource('a', 'prefix: /crm/orders')}${resource('b', 'prefix: /crm')}`
    expect(complaints(yaml)[0]).toMatch(/^2:39 These requests are for the resource b already/)
  })

  test('a prefix where the gateway itself answers', () => {
    expect(complaints(`resources:\n${resource('a', 'prefix: /access/v1')}`)[0]).toContain(
      'Below /access',
    )
  })

  test.each([
    ['read: ["GET /v1/[a"]', 'can never match'],
    ['read: ["GET /v1/../x"]', 'can never match'],
    ['read: ["GET /v1?x=1"]', 'can never match'],
    ['read: ["get /v1"]', 'Write a method and a path'],
    ['credential: { header: "X Key", value: x }', 'cannot carry a credential'],
    ['credential: { header: Host, value: x }', 'cannot carry a credential'],
    ['credential: { header: Sallyport-Approval, value: x }', 'cannot carry a credential'],
    ['ca: ./none.pem', 'cannot be read'],
  ])('a resource with %s', (rest, message) => {
    expect(complaints(`resources:\n${resource('a', 'prefix: /a', `, ${rest}`)}`)[0]).toContain(
      message,
    )
  })

  test('an upstream with more than a place in it', () => {
    const yaml = crm.replace('crm.test', 'u:hunter2@crm.test/?q=1')
    expect(complaints(yaml)[0]).toContain('and nothing else')
    expect(complaints(yaml)[0]).not.toContain('hunter2')
  })

  test.each([
    [
      'listen: { agents: { address: "[::]:9000" }, control: { address: 127.0.0.1:9000 } }',
      'cannot share a port',
    ],
    ['listen: { agents: { address: 127.0.0.1:70000 } }', 'There is no port 70000'],
    ['listen: { agents: { wait: 20m } }', 'wait is longer than max_wait'],
    ['identity: { roles: { approver: { group: a } } }', 'nobody can log in'],
    ['identity: { issuers: [{ issuer: http://idp.test, audience: a }] }', 'can be anybody'],
    [
      'identity: { issuers: [{ issuer: https://i.test, audience: a, max_skew: 6m }] }',
      'revive expired tokens',
    ],
    [
      'identity: { issuers: [{ issuer: https://i.test, audience: a }, { issuer: https://i.test, audience: b }] }',
      'there twice',
    ],
    [
      'identity: { login: { issuer: https://i.test, client_id: a, cli_client_id: b } }',
      'would be refused',
    ],
    ['policies: ./nowhere', 'no policy folder'],
  ])('%s', (line, message) => {
    expect(complaints(`${line}\n${crm}`)[0]).toContain(message)
  })

  test('an issuer on this machine may speak http', () => {
    expect(
      complaints(
        `identity: { issuers: [{ issuer: "http://127.0.0.1:9000", audience: a }] }\n${crm}`,
      ),
    ).toEqual([])
  })

  test('port 0 is free to be both', () => {
    expect(
      complaints(
        `listen: { agents: { address: 127.0.0.1:0 }, control: { address: 127.0.0.1:0 } }\n${crm}`,
      ),
    ).toEqual([])
  })
})
