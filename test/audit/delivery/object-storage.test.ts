import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { objectKeeper } from '../../../src/audit/anchor/keeper.ts'
import { objectUrl, putObject } from '../../../src/audit/s3/put-object.ts'
import type { S3Config } from '../../../src/config/schema.ts'
import { until } from '../../support/audit.ts'
import { S3Server } from '../../support/s3-server.ts'
import { configured, newFolder, Scene } from './scene.ts'

const objects = (s3: S3Server) => s3.names().filter((name) => name.endsWith('.gz'))
const linesOf = (s3: S3Server) => objects(s3).flatMap((name) => s3.read(name).trimEnd().split('\n'))
const putTo = (config: S3Config) =>
  putObject(
    config,
    'x.txt',
    { body: Buffer.from('x'), type: 'text/plain' },
    AbortSignal.timeout(30_000),
  )
const put = (s3: S3Server, more: object) => putTo(configured({ s3: s3.config(more) }).s3!)

/** What `sallyport.yaml` says where the credentials are in a file. */
function fromFile(s3: S3Server, file: string): object {
  return s3.config({
    access_key_id: undefined,
    secret_access_key: undefined,
    credentials_file: file,
  })
}

/** As `aws configure export-credentials` writes them. */
const credentials = (s3: S3Server, token: string) =>
  JSON.stringify({
    Version: 1,
    AccessKeyId: s3.key,
    SecretAccessKey: s3.key,
    SessionToken: token,
    Expiration: '2026-11-01T00:00:00Z',
  })

test('object storage has each event once, in order, in objects with their manifests', async () => {
  const scene = await Scene.open()
  const s3 = await S3Server.start()
  await scene.grow(12)
  await scene.deliver({ s3: s3.config({ prefix: 'prod/audit/' }), max_events: 5 })
  await scene.delivered()

  expect(linesOf(s3)).toEqual(await scene.log())
  for (const name of objects(s3)) {
    expect(name).toMatch(
      /^prod\/audit\/sallyport-[0-9a-f]{8}-\d{12}-\d{12}-[0-9a-f]{8}\.ndjson\.gz$/,
    )
    expect(JSON.parse(s3.read(name.replace(/\.gz$/, '.manifest.json')))).toMatchObject({
      format: 'sallyport-audit-manifest/1',
    })
  }
})

test('what is not stored is put again under the same name, and why is known', async () => {
  const scene = await Scene.open()
  const s3 = await S3Server.start()
  const failures = [null, 503, undefined, null, 500]
  s3.instead = (path) => (path.endsWith('.gz') ? failures.shift() : undefined)
  await scene.grow(8)
  await scene.deliver({ s3: s3.config(), max_events: 5 })
  await scene.delivered()

  expect(linesOf(s3)).toEqual(await scene.log())
  expect(scene.attempts.filter(({ delivered }) => !delivered)).toHaveLength(4)
  expect((await scene.health()).lastError).toBe('It answered with status 500')
})

test('a wrong key, and a bucket that is not there, are named; no secret is', async () => {
  const s3 = await S3Server.start()
  await expect(put(s3, { secret_access_key: 'very-secret' })).rejects.toThrow(
    'It answered with status 403 (SignatureDoesNotMatch)',
  )
  await expect(put(s3, { access_key_id: 'nobody' })).rejects.toThrow('403 (InvalidAccessKeyId)')
  await expect(put(s3, { bucket: 'elsewhere' })).rejects.toThrow('404 (NoSuchBucket)')
})

test('temporary credentials come with their token, which is signed, too', async () => {
  const s3 = await S3Server.start()
  s3.token = 'FwoGZXIvYXdzE+/=='
  await put(s3, { session_token: s3.token })
  expect(s3.names()).toEqual(['x.txt'])
  expect(s3.requests[0]!['authorization']).toMatch(/SignedHeaders=[^,]*x-amz-security-token/)
  await expect(put(s3, {})).rejects.toThrow('400 (AccessDenied)')
})

test('a file of credentials is read anew for each request: whoever renews them is not waited for', async () => {
  const scene = await Scene.open()
  const s3 = await S3Server.start()
  const file = join(newFolder(), 'credentials.json')
  const renew = (token: string) => writeFileSync(file, credentials(s3, token))
  s3.token = 'first'
  renew('first')
  await scene.grow(3)
  await scene.deliver({ s3: fromFile(s3, file), max_events: 2 })
  await scene.delivered()

  s3.token = 'second'
  await scene.grow(3)
  const lastError = async () => (await scene.health()).lastError
  await until(async () => (await lastError()) === 'It answered with status 400 (ExpiredToken)')
  // Half of it is there: whoever writes it has only begun.
  writeFileSync(file, '{"AccessKeyId": "very-secret')
  await until(async () => (await lastError())?.includes('is no JSON with AccessKeyId') === true)
  expect(await lastError()).not.toContain('very-secret')
  rmSync(file)
  await until(async () => (await lastError())?.includes(`${file} (ENOENT)`) === true)
  renew('second')
  await scene.delivered()
  expect(linesOf(s3)).toEqual(await scene.log())
})

test('anchors have temporary credentials, too', async () => {
  const s3 = await S3Server.start()
  const file = join(newFolder(), 'credentials.json')
  s3.token = 'anchored'
  writeFileSync(file, credentials(s3, 'anchored'))
  const keeper = objectKeeper(configured({ s3: fromFile(s3, file) }).s3!)
  await keeper.keep('example.com/log/4e036340\n3\nroot\n', 3)
  expect(s3.names()).toEqual([expect.stringMatching(/^sallyport-.*\.checkpoint\.txt$/)])
})

test('what would begin another header is no credential', async () => {
  const s3 = await S3Server.start()
  const file = join(newFolder(), 'credentials.json')
  for (const token of ['a\r\nx-evil: 1', 'a\nb', 'a b', '', '\u0000', 'ü', 'a'.repeat(10_000)]) {
    writeFileSync(file, credentials(s3, token))
    const credentialsOf = configured({ s3: fromFile(s3, file) }).s3!
    await expect(putTo(credentialsOf)).rejects.toThrow('are not as they have to be')
  }
  expect(s3.requests).toEqual([])
})

test('retention, encryption and checksums are asked for with each object', async () => {
  const scene = await Scene.open()
  const s3 = await S3Server.start()
  await scene.grow(1)
  await scene.deliver({
    s3: s3.config({
      object_lock: { mode: 'compliance', retain: '2555d' },
      encryption: 'aws:kms',
      kms_key: 'alias/audit',
    }),
  })
  await scene.delivered()
  expect(s3.requests.length).toBeGreaterThanOrEqual(2)
  for (const headers of s3.requests) {
    expect(headers).toMatchObject({
      'x-amz-object-lock-mode': 'COMPLIANCE',
      'x-amz-server-side-encryption': 'aws:kms',
      'x-amz-server-side-encryption-aws-kms-key-id': 'alias/audit',
      'x-amz-sdk-checksum-algorithm': 'SHA256',
      'x-amz-checksum-sha256': expect.stringMatching(/^[A-Za-z0-9+/]{43}=$/),
    })
    const until = Date.parse(headers['x-amz-object-lock-retain-until-date'] as string)
    expect(Math.round((until - Date.now()) / 86_400_000)).toBe(2555)
    expect(headers['authorization']).toContain('x-amz-object-lock-mode')
  }
})

test('the bucket is in the host, or in the path, of AWS or of a service of one’s own', () => {
  const url = (more: object) => {
    const s3 = { bucket: 'log', region: 'eu-west-1', access_key_id: 'x', secret_access_key: 'x' }
    return objectUrl(configured({ s3: { ...s3, ...more } }).s3!, 'o.gz').href
  }
  const endpoint = 'https://minio.example.com:9000'
  expect(url({})).toBe('https://log.s3.eu-west-1.amazonaws.com/o.gz')
  expect(url({ path_style: true })).toBe('https://s3.eu-west-1.amazonaws.com/log/o.gz')
  expect(url({ prefix: 'p/q/' })).toBe('https://log.s3.eu-west-1.amazonaws.com/p/q/o.gz')
  expect(url({ endpoint })).toBe('https://log.minio.example.com:9000/o.gz')
  expect(url({ endpoint, path_style: true, prefix: 'p/' })).toBe(`${endpoint}/log/p/o.gz`)
})
