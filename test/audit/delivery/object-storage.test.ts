import { expect, test } from 'vitest'
import { objectUrl, putObject } from '../../../src/audit/s3/put-object.ts'
import { S3Server } from '../../support/s3-server.ts'
import { configured, Scene } from './scene.ts'

const objects = (s3: S3Server) => s3.names().filter((name) => name.endsWith('.gz'))
const linesOf = (s3: S3Server) => objects(s3).flatMap((name) => s3.read(name).trimEnd().split('\n'))

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
  const put = (more: object) =>
    putObject(
      configured({ s3: s3.config(more) }).s3!,
      'x.txt',
      { body: Buffer.from('x'), type: 'text/plain' },
      AbortSignal.timeout(5_000),
    )
  await expect(put({ secret_access_key: 'very-secret' })).rejects.toThrow(
    'It answered with status 403 (SignatureDoesNotMatch)',
  )
  await expect(put({ access_key_id: 'nobody' })).rejects.toThrow('403 (InvalidAccessKeyId)')
  await expect(put({ bucket: 'elsewhere' })).rejects.toThrow('404 (NoSuchBucket)')
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
