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
  const answer = gateway.agent('/crm/v1/refunds', waiting(refund(), 300))
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

  it('overwrites no evidence, and knows its frameworks, folders and spans', async () => {
    const soc2 = ['--framework', 'soc2', '--out']
    for (const [options, words] of [
      [[...soc2, 'soc2'], 'soc2 is there already.'],
      [[...soc2, 'nowhere/q1'], 'nowhere/q1.part cannot be made (ENOENT).'],
      [['--framework', 'iso', '--out', 'iso'], 'Allowed choices are soc2, fedramp.'],
      [[...soc2, 'q1', '--from', '2026-04-01', '--to', '2026-01-01'], 'is not before --to'],
      [[...soc2, 'q1', '--from', '2026-04-01', '--to', '2026-04-01'], 'is not before --to'],
      [[...soc2, 'q1', '--from', 'yesterday'], '--from yesterday is no time.'],
      [[...soc2, 'q1', '--to', '2026-02-30'], '--to 2026-02-30 is no time.'],
    ] as const) {
      const { code, notes } = await evidence(...options)
      expect({ code, notes }).toMatchObject({ code: 2, notes: expect.stringContaining(words) })
    }
    expect(readdirSync(gateway.folder).filter((name) => /^(q1|iso)/.test(name))).toEqual([])
  })

  it('has its name when it is whole: of two into one folder, while events come in, one writes it', async () => {
    const busy = new AbortController()
    const load = Promise.all(
      [1, 2, 3].map(async () => {
        while (!busy.signal.aborted) await gateway.agent('/crm/v1/customers/c-1')
      }),
    )
    const runs = [1, 2, 3].map(() => evidence('--framework', 'soc2', '--out', 'raced'))
    const ended = await Promise.all(runs)
    busy.abort()
    await load
    expect(ended.map(({ code }) => code).toSorted((a, b) => a - b)).toEqual([0, 2, 2])
    for (const { code, notes } of ended)
      if (code === 2) expect(notes).toMatch(/raced(\.part)? is there already/)
    expect(readdirSync(join(gateway.folder, 'raced'))).toHaveLength(4)
    const verify = await sallyport(['audit', 'verify', 'raced'], { folder: gateway.folder })
    expect(verify.code).toBe(0)
    const { verified } = JSON.parse(read('raced', 'evidence.json')) as EvidenceReport
    expect(verified).toMatchObject({ ok: true, findings: [], signed: expect.anything() })
  })

  it('prints the report for programs, too', async () => {
    const { code, out } = await evidence('--framework', 'soc2', '--out', 'printed', '--json')
    expect(code).toBe(0)
    expect(JSON.parse(out)).toEqual(JSON.parse(read('printed', 'evidence.json')))
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
    // Nothing was given out, and nothing is left of it.
    expect(readdirSync(gateway.folder).filter((name) => name.startsWith('omar'))).toEqual([])
  })
})

describe('audit search', () => {
  const search = async (...options: string[]) =>
    sallyport(['audit', 'search', ...options], {
      folder: gateway.folder,
      environment: {
        SALLYPORT_URL: gateway.controlUrl,
        SALLYPORT_TOKEN: await gateway.personToken('dana'),
      },
    })
  const found = async (...options: string[]) => {
    const { code, out, notes } = await search('--json', ...options)
    expect({ code, notes }).toMatchObject({ code: 0 })
    return out
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as { type: string; decision?: string })
  }

  it('has every filter of the API', async () => {
    const { paths } = (await (await gateway.person('dana', '/api/openapi.json')).json()) as {
      paths: Record<string, { get: { parameters: { name: string }[] } }>
    }
    const { out: help } = await search('--help')
    for (const { name } of paths['/api/audit/events']!.get.parameters)
      if (name !== 'cursor') expect(help).toContain(`--${name} <`)
  })

  it('by words, by a value, by a time, and as many as are wanted', async () => {
    const denied = await found('--q', 'customers c-1', '--decision', 'deny', '--since', '1h')
    expect(denied).toMatchObject([{ type: 'action.decided', decision: 'deny' }])
    expect(await found('--limit', '3')).toHaveLength(3)
    const all = await found('--limit', '100000')
    expect(all.length).toBeGreaterThan(20)
    expect(await found('--to', '2020-01-01')).toEqual([])
  })

  it('says what it cannot look for, as wrong use', async () => {
    for (const [options, words] of [
      [['--decision', 'perhaps'], 'Allowed choices are allow, deny, hold.'],
      [['--effect', 'none'], 'Allowed choices are read, write, admin, unknown.'],
      [['--result', 'ok'], 'Allowed choices are succeeded, failed, unknown.'],
      [['--limit', '0'], '--limit is no number.'],
      [['--from', '2026-04-01', '--to', '2026-03-01'], 'is not before --to'],
      [['--from', '2026-04-01', '--since', '1h'], 'both say where it begins'],
      [['--since', 'long'], 'since'],
      [['--trace', 'XYZ'], 'lower-case hex'],
      [['--approval', '17'], 'approval'],
      [['--q', 'x'], 'q'],
      [['refunds'], 'too many arguments'],
    ] as const) {
      const { code, notes } = await search(...options)
      expect({ options, code, notes }).toMatchObject({
        code: 2,
        notes: expect.stringContaining(words),
      })
    }
    const unknown = await search('--saved', 'nothing of the kind')
    expect(unknown).toMatchObject({ code: 1, notes: expect.stringContaining('saved no search') })
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
    for (const path of ['evidence?framework=soc2&', 'evidence/report?framework=soc2&', 'export?']) {
      const problem = await problemIn(
        get(`/api/audit/${path}from=2026-04-01&to=2026-03-31T00:00:00%2B02:00`),
        'bad-request',
      )
      expect(problem.detail).toContain('`from` is not before `to`.')
    }
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
