import { afterAll, beforeAll, expect, it } from 'vitest'
import { verifyExport } from '../../src/audit/verify.ts'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { policies } from './policies.ts'

let upstream: CountingUpstream
let gateway: TestGateway

beforeAll(async () => {
  upstream = await startCountingUpstream()
  gateway = await startTestGateway({ upstream: upstream.url, policies })
})

afterAll(async () => {
  await gateway.close()
  await upstream.close()
})

async function exported(): Promise<string[]> {
  const response = await gateway.person('dana', '/api/audit/export?format=ndjson')
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toContain('application/x-ndjson')
  return (await response.text()).trimEnd().split('\n')
}

async function* each(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines
}

it('tells the whole story of a held action, in order', async () => {
  const asked = gateway.agent('/crm/v1/refunds', {
    method: 'POST',
    headers: { prefer: 'wait=60', 'content-type': 'application/json' },
    body: '{"order":"o-1","amount_cents":12900}',
  })
  const approval = await gateway.pending()
  await gateway.vote('priya', approval)
  await gateway.vote('dana', approval)
  const action = (await asked).headers.get('sallyport-action')
  await expect
    .poll(async () => (await exported()).some((line) => line.includes('action.completed')))
    .toBe(true)

  const events = (await exported()).map((line) => JSON.parse(line))
  const story = events
    .filter((event) => event.approval === approval.id)
    .toSorted((a, b) => a.time.localeCompare(b.time) || a.id.localeCompare(b.id))
  expect(story.map((event) => [event.type, event.subject?.subject ?? null])).toEqual([
    ['approval.requested', 'support-agent'],
    ['action.decided', 'support-agent'],
    ['approval.vote_refused', 'priya'],
    ['approval.voted', 'dana'],
    ['approval.resolved', 'support-agent'],
    ['action.dispatched', 'support-agent'],
    ['action.completed', null],
  ])
  expect(story.at(2)).toMatchObject({ reason: 'self-approval' })
  expect(story.at(-2)).toMatchObject({ action: { id: action }, digest: approval.action.digest })
  expect(story.at(-1)).toMatchObject({
    action: { id: action },
    outcome: { result: 'succeeded', status: 201 },
  })
})

it('verifies offline, and names the row after one byte of it was changed', async () => {
  await gateway.agent('/crm/v1/customers')
  const lines = await exported()
  expect(await verifyExport(each(lines))).toMatchObject({ ok: true, lines: lines.length })

  const row = lines.findIndex((line) => line.includes('"path":"/v1/customers"'))
  const edited = lines.with(row, lines[row]!.replace('/v1/customers', '/v1/customerz'))
  const report = await verifyExport(each(edited))
  expect(report.ok).toBe(false)
  expect(report.findings[0]).toMatchObject({ line: row + 1 })
})

it('puts the export itself on record, and is for auditors', async () => {
  await exported()
  const found = await gateway.person('dana', '/api/audit/events?type=audit.exported')
  const { events } = (await found.json()) as { events: { subject: { subject: string } }[] }
  expect(events[0]!.subject.subject).toBe('dana')

  for (const path of ['/api/audit/export', '/api/audit/events']) {
    expect((await gateway.person('omar', path)).status).toBe(403)
  }
})

it('is searched by anything in an event', async () => {
  await gateway.agent('/crm/v1/customers/c-1', { method: 'DELETE' })
  const search = async (query: string) => {
    const response = await gateway.person('dana', `/api/audit/events?${query}`)
    return ((await response.json()) as { events: { type: string }[] }).events
  }
  const [denied] = await search('decision=deny&subject=support-agent&resource=crm')
  expect(denied).toMatchObject({ type: 'action.decided', reason: 'DESTRUCTIVE' })
  expect(await search('q=c-1&reason=DESTRUCTIVE')).toHaveLength(1)
  expect(await search('from=2020-01-01&to=2020-01-02')).toEqual([])
  expect((await gateway.person('dana', '/api/audit/events?form=2020-01-01')).status).toBe(400)
})
