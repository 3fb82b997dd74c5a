import { readFileSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { EvidenceReport } from '../../src/audit/evidence/report.ts'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { python } from '../support/python.ts'
import { sallyport } from '../support/terminal.ts'
import { policies } from './policies.ts'
import { problemIn, refund, waiting } from './requests.ts'

let upstream: CountingUpstream
let gateway: TestGateway

beforeAll(async () => {
  upstream = await startCountingUpstream()
  gateway = await startTestGateway({ upstream: upstream.url, policies })
  for (const id of ['c-1', 'c-2', 'c-3']) await gateway.agent(`/crm/v1/customers/${id}`)
  await problemIn(gateway.agent('/crm/v1/customers/c-1', { method: 'DELETE' }), 'denied')
  await problemIn(fetch(`${gateway.agentsUrl}/crm/v1/customers`), 'unauthenticated')
  const answer = gateway.agent('/crm/v1/refunds', waiting(refund(), 30))
  const approval = await gateway.pending()
  // The agent is hers.
  await problemIn(gateway.vote('priya', approval), 'self-approval')
  expect((await gateway.vote('dana', approval)).status).toBe(200)
  expect((await answer).status).toBe(201)
})

afterAll(async () => {
  await gateway.close()
  await upstream.close()
})

const evidence = async (...options: string[]) =>
  sallyport(['audit', 'evidence', ...options], {
    folder: gateway.folder,
    environment: {
      SALLYPORT_URL: gateway.controlUrl,
      SALLYPORT_TOKEN: await gateway.personToken('dana'),
    },
  })

const read = (...path: string[]) => readFileSync(join(gateway.folder, ...path), 'utf8')

describe('audit evidence', () => {
  it('writes a folder that an auditor can read, count in, and verify without us', async () => {
    const { code, notes } = await evidence('--framework', 'soc2', '--out', 'soc2')
    expect({ code, notes }).toMatchObject({ code: 0 })
    expect(readdirSync(join(gateway.folder, 'soc2')).toSorted()).toEqual([
      'evidence.html',
      'evidence.json',
      'log.ndjson',
      'log.ndjson.manifest.json',
    ])
    const { answers, verified, controls } = JSON.parse(
      read('soc2', 'evidence.json'),
    ) as EvidenceReport
    expect(verified).toMatchObject({ ok: true, findings: [] })
    expect(answers.standing).toMatchObject({ count: 3, groups: [{ name: 'crm', count: 3 }] })
    expect(answers.approved).toMatchObject({ count: 1, groups: [{ name: 'crm', count: 1 }] })
    expect(answers.denied).toMatchObject({ count: 1, groups: [{ name: 'DESTRUCTIVE', count: 1 }] })
    expect(answers.self_approvals.groups).toMatchObject([
      { name: expect.stringMatching(/ priya$/), count: 1 },
    ])
    expect(answers.policies_in_use.groups).toHaveLength(1)
    expect(answers.refused_credentials.count).toBe(1)
    expect(controls.map(({ id }) => id)).toEqual(['CC6.1', 'CC6.3', 'CC7.2', 'CC7.3', 'CC8.1'])
    expect(answers.everything.count).toBe(read('soc2', 'log.ndjson').trimEnd().split('\n').length)

    const verify = await sallyport(['audit', 'verify', 'soc2/log.ndjson'], {
      folder: gateway.folder,
    })
    expect(verify.code).toBe(0)
  })

  it('is on record: nobody takes the log away unseen', async () => {
    const { code } = await evidence('--framework', 'fedramp', '--out', 'fedramp')
    expect(code).toBe(0)
    const page = read('fedramp', 'evidence.html')
    for (const id of ['AC-3(2)', 'AU-10', 'IA-9']) expect(page).toContain(`<h3>${id} `)
    const { answers } = JSON.parse(read('fedramp', 'evidence.json')) as EvidenceReport
    expect(answers.exports.count).toBe(2)
  })

  it('is about the span that was asked for', async () => {
    const span = ['--from', '2020-01-01', '--to', '2020-02-01']
    const { code, notes } = await evidence('--framework', 'soc2', '--out', 'empty', ...span)
    expect({ code, notes }).toMatchObject({ code: 0 })
    const { answers } = JSON.parse(read('empty', 'evidence.json')) as EvidenceReport
    expect(answers.everything.count).toBe(0)
    expect(read('empty', 'evidence.html')).toContain('2020-01-01 up to 2020-02-01')
  })

  it('overwrites no evidence, and knows its frameworks', async () => {
    const again = await evidence('--framework', 'soc2', '--out', 'soc2')
    expect(again.code).toBe(1)
    expect(again.notes).toContain('EEXIST')
    expect(await evidence('--framework', 'iso', '--out', 'iso')).toMatchObject({ code: 2 })
  })

  it('is for auditors', async () => {
    const answer = await sallyport(['audit', 'evidence', '--framework', 'soc2', '--out', 'omar'], {
      folder: gateway.folder,
      environment: {
        SALLYPORT_URL: gateway.controlUrl,
        SALLYPORT_TOKEN: await gateway.personToken('omar'),
      },
    })
    expect(answer).toMatchObject({ code: 1, notes: expect.stringContaining('auditor') })
  })
})

describe('GET /api/audit/evidence', () => {
  const get = (path: string, name: 'dana' | 'omar' = 'dana') => gateway.person(name, path)

  it('streams what the command writes, as a ZIP file that any program opens', async () => {
    const answer = await get('/api/audit/evidence?framework=soc2')
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-disposition')).toContain('sallyport-evidence-soc2.zip')
    const file = join(gateway.folder, 'evidence.zip')
    writeFileSync(file, Buffer.from(await answer.arrayBuffer()))
    const unzip = 'import sys, zipfile; zipfile.ZipFile(sys.argv[1]).extractall(sys.argv[2])'
    await python(['-c', unzip, file, join(gateway.folder, 'unzipped')])
    expect(readdirSync(join(gateway.folder, 'unzipped')).toSorted()).toEqual(
      readdirSync(join(gateway.folder, 'soc2')).toSorted(),
    )
    const report = JSON.parse(read('unzipped', 'evidence.json')) as EvidenceReport
    expect(report.verified).toMatchObject({ ok: true, findings: [], signed: expect.anything() })
    expect(report.answers.approved).toMatchObject({ count: 1 })
    // Itself among them, since it went on record first.
    expect(report.answers.exports.count).toBeGreaterThan(0)
    const verify = await sallyport(['audit', 'verify', 'unzipped/log.ndjson'], {
      folder: gateway.folder,
    })
    expect(verify.code).toBe(0)
    const { stdout } = await python([
      'examples/verify/verify.py',
      join(gateway.folder, 'unzipped', 'log.ndjson'),
    ])
    expect(stdout).toContain('These are the events of the log')
  })

  it('tells how far it is, and then the report', async () => {
    const answer = await get('/api/audit/evidence/report?framework=fedramp&from=2020-01-01')
    const lines = (await answer.text()).trimEnd().split('\n')
    const last = JSON.parse(lines.at(-1)!) as { report: EvidenceReport }
    expect(last.report).toMatchObject({ framework: 'fedramp', verified: { ok: true } })
    expect(last.report.span).toEqual({ from: '2020-01-01', to: 'now' })
    expect(last.report.answers.self_approvals.count).toBe(1)
  })

  it('is for auditors, about frameworks and spans that there are', async () => {
    await problemIn(get('/api/audit/evidence?framework=soc2', 'omar'), 'forbidden')
    await problemIn(get('/api/audit/evidence/report?framework=soc2', 'omar'), 'forbidden')
    await problemIn(get('/api/audit/evidence?framework=iso'), 'bad-request')
    await problemIn(get('/api/audit/evidence?framework=soc2&from=yesterday'), 'bad-request')
  })

  it('is over when whoever reads it goes away', async () => {
    const over = new AbortController()
    const answer = await gateway.person('dana', '/api/audit/evidence?framework=soc2', {
      signal: over.signal,
    })
    over.abort()
    await expect(answer.arrayBuffer()).rejects.toThrow(/abort/)
    expect((await get('/api/audit/evidence/report?framework=soc2')).status).toBe(200)
  })
})
