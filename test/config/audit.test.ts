import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { MistakesError } from '../../src/core/errors.ts'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-config-'))
mkdirSync(join(folder, 'policies'))
afterAll(() => rmSync(folder, { recursive: true }))

const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

function load(audit: string) {
  const file = join(folder, 'sallyport.yaml')
  const crm =
    'resources: [{ name: crm, protocol: http, match: { prefix: /crm }, upstream: https://crm.example.com }]'
  writeFileSync(file, `${crm}\naudit:\n${audit}`)
  return loadConfig(file, { AUDIT_KEY: 'the-key' }).audit
}

function complaints(audit: string): string[] {
  try {
    load(audit)
  } catch (error) {
    if (!(error instanceof MistakesError)) throw error
    return error.mistakes.map(({ line, message, remedy }) => `${line} ${message} ${remedy}`)
  }
  return []
}

const deliver = (...lines: string[]) =>
  `  deliveries:\n${lines.map((line) => `    ${line}\n`).join('')}`
const bucket =
  'bucket: log, region: eu-central-1, access_key_id: x, secret_access_key: "${AUDIT_KEY}"'

describe('deliveries of the audit log', () => {
  test('have their paths from the configuration’s folder, and their secrets from the environment', () => {
    const { deliveries, anchor } = load(
      `  anchor: [{ s3: { ${bucket}, ca: ca.pem } }, { s3: { bucket: log, region: x, credentials_file: c.json } }]\n${deliver(
        'archive: { folder: archive }',
        `worm: { s3: { ${bucket}, prefix: prod/ } }`,
        'siem: { syslog: { host: siem.example.com, cert: c.pem, key: k.pem }, format: cef }',
      )}`,
    )
    expect(deliveries).toMatchObject({
      archive: {
        folder: join(folder, 'archive'),
        ...{
          format: 'ndjson',
          every: 60_000,
          max_events: 10_000,
          personal: true,
          from: 'beginning',
        },
      },
      worm: { s3: { secret_access_key: 'the-key', path_style: false, prefix: 'prod/' } },
      siem: {
        syslog: {
          port: 6514,
          tls: 'verify-full',
          cert: join(folder, 'c.pem'),
          key: join(folder, 'k.pem'),
        },
      },
    })
    expect(anchor).toMatchObject([
      { s3: { ca: join(folder, 'ca.pem') } },
      { s3: { credentials_file: join(folder, 'c.json') } },
    ])
  })

  test('go to one place each, which is written whole', () => {
    expect(complaints(deliver('a: { format: csv }'))).toEqual([
      expect.stringContaining('Write one of folder, s3, webhook, syslog.'),
    ])
    const two = `a: { folder: x, webhook: { url: 'https://x.example.com', secret: ${secret} } }`
    expect(complaints(deliver(two))).toHaveLength(1)
    expect(complaints(deliver('a: { syslog: { host: h, cert: c.pem } }'))).toEqual([
      expect.stringContaining('Write cert and key, or neither.'),
    ])
    expect(complaints(deliver(`a: { s3: { ${bucket}, prefix: ../other/ } }`))).toHaveLength(1)
    for (const credentials of [
      'access_key_id: x',
      'session_token: x',
      'credentials_file: c.json, access_key_id: x, secret_access_key: x',
      'credentials_file: c.json, session_token: x',
      '',
    ]) {
      const s3 = `bucket: log, region: eu-central-1, ${credentials}`
      expect(complaints(deliver(`a: { s3: { ${s3} } }`)), credentials).toEqual([
        expect.stringContaining('Write access_key_id and secret_access_key, or credentials_file'),
      ])
    }
    expect(complaints('  anchor: [{ every: 1m }]\n')).toEqual([
      expect.stringContaining('Write file or s3: one of them.'),
    ])
  })

  test('do not go over http:// to other machines', () => {
    const lines = [
      `a: { webhook: { url: 'http://x.example.com', secret: ${secret} } }`,
      `b: { s3: { ${bucket}, endpoint: 'http://x.example.com' } }`,
      `c: { webhook: { url: 'http://127.0.0.1:8000', secret: ${secret} } }`,
    ]
    expect(complaints(deliver(...lines))).toEqual([
      expect.stringMatching(/^4 The log, and what the gateway proves itself with, can be read/),
      expect.stringMatching(/^5 The log, and what the gateway proves itself with, can be read/),
    ])
  })

  test('do not write the same files, nor a table into messages', () => {
    const lines = [
      'a: { folder: x }',
      'b: { folder: ./x }',
      'c: { folder: x, format: ocsf }',
      'd: { syslog: { host: h }, format: csv }',
    ]
    expect(complaints(deliver(...lines))).toEqual([
      expect.stringMatching(/^5 It would write the same files as "a"\./),
      expect.stringMatching(/^7 A message of syslog has no place for the head of a table\./),
    ])
  })
})
