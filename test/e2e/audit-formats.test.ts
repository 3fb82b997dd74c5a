import { hash } from 'node:crypto'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { verifyExport } from '../../src/audit/verify.ts'
import { mistakesOf } from '../audit/export/ocsf-schema.ts'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import { until } from '../support/audit.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { sallyport } from '../support/terminal.ts'
import { policies } from './policies.ts'

let upstream: CountingUpstream
let gateway: TestGateway

beforeAll(async () => {
  upstream = await startCountingUpstream()
  gateway = await startTestGateway({ upstream: upstream.url, policies })
  await gateway.agent('/crm/v1/customers')
  await gateway.agent('/crm/v1/customers/c-1', { method: 'DELETE' })
  await fetch(`${gateway.agentsUrl}/crm/v1/customers`, { headers: { authorization: 'Bearer x' } })
  const asked = gateway.agent('/crm/v1/refunds', {
    method: 'POST',
    headers: { prefer: 'wait=60', 'content-type': 'application/json' },
    body: '{"order":"o-1","amount_cents":12900}',
  })
  const approval = await gateway.pending()
  await gateway.vote('priya', approval)
  await gateway.vote('dana', approval)
  await asked
  await until(async () =>
    (await gateway.auditLog()).some((line) => line.includes('action.completed')),
  )
})

afterAll(async () => {
  await gateway.close()
  await upstream.close()
})

const ask = (query: string, headers: Record<string, string> = {}) =>
  gateway.person('dana', `/api/audit/export?${query}`, { headers })

const indexOf = (line: string) => (JSON.parse(line) as { index: number }).index

it('gives a SIEM every event of a real run as OCSF 1.8', async () => {
  const text = await (await ask('format=ocsf')).text()
  const events = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  for (const event of events)
    expect([event.message, mistakesOf(event)]).toEqual([event.message, []])

  const said = events.map((event) => [
    event.message,
    event.class_uid,
    event.activity_name,
    event.status,
  ])
  expect(said).toContainEqual(['action.decided', 4002, 'Get', 'Success'])
  expect(said).toContainEqual(['action.decided', 4002, 'Delete', 'Failure'])
  expect(said).toContainEqual(['action.decided', 4002, 'Post', 'Held'])
  expect(said).toContainEqual(['approval.vote_refused', 3004, 'Update', 'Failure'])
  expect(said).toContainEqual(['identity.refused', 3002, 'Logon', 'Failure'])
  expect(said).toContainEqual(['audit.exported', 6003, 'Read', 'Success'])
  expect(events.find(({ message }) => message === 'action.decided')).toMatchObject({
    actor: { user: { name: 'support-agent', type: 'Agent' } },
    enrichments: [{ data: { owner: { subject: 'priya' } } }],
    metadata: { version: '1.8.0' },
  })
})

it('gives a spreadsheet CSV, with one head', async () => {
  const response = await ask('format=csv')
  expect(response.headers.get('content-type')).toBe('text/csv; charset=utf-8; header=present')
  const [head, first] = (await response.text()).split('\n')
  expect(head).toMatch(/^index,id,time,type,/)
  expect(first).toMatch(/^0,/)
  const rest = await (await ask('format=csv&cursor=1')).text()
  expect(rest).toMatch(/^1,/)
})

it('goes on where an export was interrupted, and the whole verifies', async () => {
  const before = await (await ask('')).text()
  // What came before the connection broke, down to the last whole line.
  const whole = before.slice(0, before.lastIndexOf('\n', before.length - 300) + 1)
  const cursor = indexOf(whole.trimEnd().split('\n').at(-1)!) + 1
  const response = await ask(`cursor=${cursor}`)
  expect(response.headers.get('sallyport-audit-first')).toBe(String(cursor))
  const lines = (whole + (await response.text())).trimEnd().split('\n')
  expect(lines.map(indexOf)).toEqual(lines.map((_, index) => index))
  async function* each() {
    yield* lines
  }
  expect(await verifyExport(each())).toMatchObject({ ok: true, findings: [] })

  expect((await ask('cursor=1000000')).status).toBe(400)
})

it('comes compressed, as a file or on the way', async () => {
  const file = await ask('gzip')
  expect(file.headers.get('content-type')).toBe('application/gzip')
  expect(file.headers.get('content-disposition')).toContain('.ndjson.gz"')
  const text = gunzipSync(Buffer.from(await file.arrayBuffer())).toString()
  expect(indexOf(text.split('\n')[0]!)).toBe(0)

  const onTheWay = await ask('', { 'accept-encoding': 'gzip' })
  expect(onTheWay.headers.get('content-encoding')).toBe('gzip')
  const plain = await ask('', { 'accept-encoding': 'gzip;q=0, identity' })
  expect(plain.headers.get('content-encoding')).toBe(null)
  expect((await onTheWay.text()).split('\n')[0]).toBe((await plain.text()).split('\n')[0])
})

it('leaves personal data out where that is asked for, and says so on record', async () => {
  const text = await (await ask('personal=false')).text()
  expect(text).not.toContain('support-agent')
  const after = await gateway.auditLog()
  const asked = after
    .map((line) => JSON.parse(line))
    .filter(({ type }) => type === 'audit.exported')
  expect(asked.some(({ details }) => details.personal === false)).toBe(true)
})

it('goes from the command line into a compressed file, which unpacks and verifies with its manifest', async () => {
  const environment = {
    SALLYPORT_URL: gateway.controlUrl,
    SALLYPORT_TOKEN: await gateway.personToken('dana'),
  }
  const { folder } = gateway
  const cli = (...argv: string[]) => sallyport(['audit', ...argv], { environment, folder })
  const asked = ['export', '--gzip', '--no-personal', '--cursor', '2', '--out', 'log.ndjson.gz']
  const exported = await cli(...asked)
  expect(exported).toMatchObject({ code: 0 })
  expect(exported.notes).toContain('sallyport audit verify log.ndjson.gz')
  expect(await cli('verify', 'log.ndjson.gz')).toMatchObject({ code: 0 })

  const packed = readFileSync(join(folder, 'log.ndjson.gz'))
  writeFileSync(join(folder, 'log.ndjson'), gunzipSync(packed))
  const verified = await cli('verify', 'log.ndjson')
  expect(verified).toMatchObject({ code: 0 })
  expect(verified.notes).toContain('that was signed at')

  const manifest = join(folder, 'log.ndjson.manifest.json')
  const said = {
    first: 2,
    count: gunzipSync(packed).toString().split('\n').length - 1,
    sha256: hash('sha256', packed),
  }
  expect(JSON.parse(readFileSync(manifest, 'utf8'))).toMatchObject(said)

  // A manifest that cannot be read is not one that is not there: it may say that something was cut off.
  rmSync(manifest)
  expect(await cli('verify', 'log.ndjson')).toMatchObject({ code: 0 })
  mkdirSync(manifest)
  const unread = await cli('verify', 'log.ndjson')
  expect(unread).toMatchObject({ code: 2 })
  expect(unread.notes).toContain('log.ndjson.manifest.json cannot be read (EISDIR)')

  const csv = await cli('export', '--format', 'csv')
  expect(csv.out).toMatch(/^index,id,time/)
  writeFileSync(join(folder, 'log.csv'), csv.out)
  expect(await cli('verify', 'log.csv')).toMatchObject({
    ...{ code: 1, notes: expect.stringContaining('No line of it is one of NDJSON') },
  })
})
