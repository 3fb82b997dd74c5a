import { readFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { MistakesError } from '../../src/core/errors.ts'
import { Authority, openssl } from '../support/certificates.ts'

describe.skipIf(!openssl)('the certificate of a listener (needs openssl)', () => {
  let authority: Authority
  beforeAll(() => {
    authority = new Authority()
    mkdirSync(join(authority.folder, 'policies'))
    authority.issue('good')
    authority.issue('other')
    authority.issue('old', { days: -1 })
    authority.issue('weak', { key: '-newkey rsa:1024 -nodes' })
    authority.issue('locked', {
      key: '-newkey ec -pkeyopt ec_paramgen_curve:P-256 -passout pass:x',
    })
    const whole = readFileSync(join(authority.folder, 'good.pem'), 'utf8')
    writeFileSync(join(authority.folder, 'half.pem'), whole.replace(/^MII/m, 'MIX'))
  })

  function load(tls: string, control = '{}') {
    const file = join(authority.folder, 'sallyport.yaml')
    writeFileSync(
      file,
      `listen:
  agents:
    tls: ${tls}
  control: ${control}
resources:
  - { name: crm, protocol: http, match: { prefix: /crm }, upstream: https://crm.test }
`,
    )
    return loadConfig(file, {})
  }

  /** What is said about it: `line:column message → remedy`. */
  function complaints(tls: string, control?: string): string[] {
    try {
      load(tls, control)
    } catch (error) {
      if (!(error instanceof MistakesError)) throw error
      return error.mistakes.map(
        ({ line, column, message, remedy }) =>
          `${line}:${column} ${message.replaceAll(authority.folder, '…')} → ${remedy}`,
      )
    }
    return []
  }

  test('is named relative to the configuration; TLS 1.2 is the oldest version, unless it says 1.3', () => {
    expect(load('{ cert: good.pem, key: good.key }').listen.agents.tls).toEqual({
      cert: join(authority.folder, 'good.pem'),
      key: join(authority.folder, 'good.key'),
      min_version: 'TLSv1.2',
    })
    expect(complaints('{ cert: good.pem, key: good.key, min_version: TLSv1.3 }')).toEqual([])
    expect(complaints('{ cert: good.pem, key: good.key, min_version: TLSv1.1 }')).toEqual([
      '3:56 listen.agents.tls.min_version is not valid. → Write one of "TLSv1.2"|"TLSv1.3"',
    ])
  })

  test('that is not there: both files are named at once', () => {
    const remedy = 'Check the path, which is relative to the configuration, and its permissions.'
    expect(complaints('{ cert: no.pem, key: no.key }')).toEqual([
      `3:18 The certificate cannot be read (ENOENT). → ${remedy}`,
      `3:31 The private key cannot be read (ENOENT). → ${remedy}`,
    ])
  })

  test.for([
    [
      'belongs to another key',
      '{ cert: good.pem, key: other.key }',
      "3:33 This key is not the one of the certificate in …/good.pem. → Name the two that were made for each other; the listener's own certificate comes first in its file.",
    ],
    [
      'is a key',
      '{ cert: good.key, key: good.key }',
      '3:33 There is no certificate in this file. → Write it in PEM: it begins with -----BEGIN CERTIFICATE-----.',
    ],
    [
      'is damaged',
      '{ cert: half.pem, key: good.key }',
      '3:18 The certificate is damaged. → Copy or issue it again.',
    ],
    [
      'has a certificate for its key',
      '{ cert: good.pem, key: ca.pem }',
      '3:33 There is no private key in this file. → Write it in PEM: it begins with -----BEGIN PRIVATE KEY-----.',
    ],
    [
      'has a key with a passphrase',
      '{ cert: locked.pem, key: locked.key }',
      '3:35 The private key is protected by a passphrase, and nobody is there to type it. → Take it off with `openssl pkey`, and let nobody but the user of the gateway read the file.',
    ],
    [
      'is too weak for OpenSSL',
      '{ cert: weak.pem, key: weak.key }',
      '3:18 OpenSSL does not serve with this certificate (ERR_SSL_EE_KEY_TOO_SMALL). → Use ECDSA, or RSA of 2048 bits or more, signed with SHA-256 or better.',
    ],
  ] as const)('that %s', ([, tls, complaint]) => {
    expect(complaints(tls)).toEqual([complaint])
  })

  test('that ran out', () => {
    expect(complaints('{ cert: old.pem, key: old.key }')).toEqual([
      expect.stringMatching(
        /^3:18 The certificate ran out on \d{4}-.*Z, so clients refuse it\. → Renew it\.$/,
      ),
    ])
  })

  test('for people who are told to come by http', () => {
    const tls = '{ cert: good.pem, key: good.key }'
    const url = 'public_url: http://sallyport.test'
    expect(complaints(tls, `{ ${url}, tls: ${tls} }`)).toEqual([
      '4:26 This listener speaks https, and this says that it is reached by http. → Write https://, or take tls out.',
    ])
    expect(complaints(tls, `{ ${url} }`)).toEqual([
      expect.stringMatching(/^4:26 Credentials would come from other machines without TLS/),
    ])
    expect(complaints(tls, '{ public_url: http://127.0.0.1:8081 }')).toEqual([])
  })

  test('never says what is in a key', () => {
    const key = readFileSync(join(authority.folder, 'other.key'), 'utf8').split('\n')[1]!
    for (const tls of ['{ cert: other.key, key: other.pem }', '{ cert: good.pem, key: other.key }'])
      expect(complaints(tls).join('\n')).not.toContain(key)
  })
})
