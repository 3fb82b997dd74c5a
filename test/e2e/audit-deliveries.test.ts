import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { Siem, secret } from '../audit/delivery/receivers.ts'
import { filesIn, linesIn } from '../audit/delivery/scene.ts'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { S3Server } from '../support/s3-server.ts'
import { sallyport } from '../support/terminal.ts'
import { policies } from './policies.ts'

const folder = mkdtempSync(join(tmpdir(), 'sallyport-archive-'))
const hidden = 'a-secret-access-key-that-nobody-sees'
let upstream: CountingUpstream
let gateway: TestGateway
let siem: Siem
let s3: S3Server

beforeAll(async () => {
  upstream = await startCountingUpstream()
  siem = await Siem.start()
  s3 = await S3Server.start()
  const flow = JSON.stringify
  gateway = await startTestGateway({
    upstream: upstream.url,
    policies,
    config: `audit:
  anchor:
    - { s3: ${flow(s3.config({ prefix: 'anchors/' }))}, every: 1s }
  deliveries:
    archive: { folder: ${folder}, every: 100ms }
    lake: { webhook: { url: '${siem.url}', secret: '${secret}' }, every: 100ms }
    worm: { s3: ${flow(s3.config({ prefix: 'log/' }))}, every: 100ms, format: ocsf }
    wrong: { s3: ${flow(s3.config({ secret_access_key: hidden }))}, every: 100ms }
`,
  })
  for (let i = 0; i < 5; i++) await gateway.agent('/crm/v1/customers')
})

afterAll(async () => {
  await gateway.close()
  await upstream.close()
})

interface Shown {
  readonly name: string
  readonly state: string
  readonly cursor: number
  readonly last_error: string | null
}

async function deliveries(): Promise<Record<string, Shown>> {
  const response = await gateway.person('dana', '/api/audit/deliveries')
  const { deliveries: all } = (await response.json()) as { deliveries: Shown[] }
  return Object.fromEntries(all.map((one) => [one.name, one]))
}

const soon = { timeout: 60_000, interval: 100 }
const decided = (lines: readonly string[]) =>
  lines.filter((line) => line.includes('"action.decided"')).length

it('delivers what agents do to every place, and says how far it is', async () => {
  await expect.poll(() => decided(siem.lines), soon).toBe(5)
  await expect.poll(() => (filesIn(folder).length > 0 ? decided(linesIn(folder)) : 0), soon).toBe(5)
  await expect
    .poll(() => s3.names().filter((name) => /^log\/.*\.ocsf\.ndjson\.gz$/.test(name)).length, soon)
    .toBeGreaterThan(0)
  await expect
    .poll(
      () => s3.names().filter((name) => /^anchors\/.*\.checkpoint\.txt$/.test(name)).length,
      soon,
    )
    .toBeGreaterThan(0)
  await expect.poll(async () => (await deliveries())['wrong']!.state, soon).toBe('failing')
  const { archive, lake, wrong } = await deliveries()
  expect(archive).toMatchObject({ to: folder, format: 'ndjson', personal: true, last_error: null })
  expect(lake).toMatchObject({ to: new URL(siem.url).origin, last_error: null })
  expect(wrong).toMatchObject({
    state: 'failing',
    cursor: 0,
    last_error: 'It answered with status 403 (SignatureDoesNotMatch)',
  })
})

it('what was delivered is the log that was signed, and continues the checkpoint of an anchor', async () => {
  const names = s3.names().filter((name) => name.startsWith('anchors/'))
  const anchored = join(folder, 'anchored.txt')
  writeFileSync(anchored, s3.read(names[0]!))
  const kept = Number(/-(\d{12})\.checkpoint/.exec(names[0]!)![1])
  await expect
    .poll(async () => (await deliveries())['archive']!.cursor, soon)
    .toBeGreaterThanOrEqual(kept)
  const argv = ['audit', 'verify', folder, '--checkpoint', anchored]
  const { code, notes } = await sallyport(argv, { folder })
  expect(notes).toContain('which continues the checkpoint that you kept')
  expect(code).toBe(0)
})

it('says so on the command line, and in metrics', async () => {
  const environment = {
    SALLYPORT_URL: gateway.controlUrl,
    SALLYPORT_TOKEN: await gateway.personToken('dana'),
  }
  const { out, code } = await sallyport(['audit', 'deliveries'], { environment })
  expect(code).toBe(0)
  expect(out).toMatch(/^NAME +TO +STATE/)
  expect(out).toMatch(/^wrong +s3:\/\/audit\/ at \S+ +failing +0 /m)
  const metrics = await (await fetch(`${gateway.controlUrl}/metrics`)).text()
  expect(metrics).toMatch(/sallyport_audit_delivery_lag_events\{delivery="wrong"\} [1-9]/)
  expect(metrics).toMatch(
    /sallyport_audit_deliveries_total\{delivery="lake",result="delivered"\} [1-9]/,
  )
  expect(metrics).toMatch(
    /sallyport_audit_deliveries_total\{delivery="wrong",result="failed"\} [1-9]/,
  )
})

it('only to those who may read the log', async () => {
  expect((await gateway.person('priya', '/api/audit/deliveries')).status).toBe(403)
  expect((await fetch(`${gateway.controlUrl}/api/audit/deliveries`)).status).toBe(401)
})

it('and never says a secret, to anybody', async () => {
  const shown = [
    gateway.logged(),
    JSON.stringify(await deliveries()),
    (await gateway.auditLog()).join('\n'),
    await (await fetch(`${gateway.controlUrl}/metrics`)).text(),
  ]
  expect(shown.join('')).toContain('SignatureDoesNotMatch')
  for (const text of shown) {
    expect(text).not.toContain(hidden)
    expect(text).not.toContain(secret)
    expect(text).not.toContain(new URL(siem.url).pathname)
  }
})
