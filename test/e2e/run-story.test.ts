import { once } from 'node:events'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { until } from '../support/audit.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { sallyport } from '../support/terminal.ts'

const policies = {
  'rules.yaml': `rules:
  - { name: crm-calls, who: { group: agents }, on: crm, what: { http: { path: [/v1/**, /tools/**] } }, then: allow }
  - name: refunds
    who: { group: agents }
    on: crm
    what: { http: { path: /v1/refunds } }
    then: hold
    approval: { from: { group: support-leads } }
`,
}

const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
const agentsSpan = '00f067aa0ba902b7'

interface Story {
  readonly complete: boolean
  readonly hidden: number
  readonly actions: readonly {
    readonly id: string
    readonly under: string | null
    readonly caller: string | null
    readonly events: readonly {
      readonly type: string
      readonly details?: { readonly summary?: string }
    }[]
  }[]
}

describe('the story of a run', () => {
  let upstream: Server
  let gateway: TestGateway

  beforeAll(async () => {
    // A tool that calls on through the gateway, with the trace context that it was given.
    upstream = createServer((request, response) => {
      const answer = () => response.end('{}')
      if (!request.url!.startsWith('/tools/')) return answer()
      const { traceparent } = request.headers as Record<string, string>
      void gateway
        .agent('/crm/v1/customers/17', { headers: { traceparent: traceparent! } })
        .then(answer)
    })
    upstream.listen(0, '127.0.0.1')
    await once(upstream, 'listening')
    const { port } = upstream.address() as AddressInfo
    gateway = await startTestGateway({ upstream: `http://127.0.0.1:${port}`, policies })

    const headers = { traceparent: `00-${trace}-${agentsSpan}-01` }
    await gateway.agent('/crm/v1/chat/completions', { method: 'POST', headers, body: '{}' })
    await gateway.agent('/crm/tools/customer', { headers })
    const refund = gateway.agent('/crm/v1/refunds', {
      method: 'POST',
      headers: { ...headers, prefer: 'wait=60' },
      body: '{}',
    })
    await gateway.vote('dana', await gateway.pending())
    expect((await refund).status).toBe(200)
    // Another run.
    await gateway.agent('/crm/v1/customers/18')
    // An answer does not wait for its outcome to be recorded.
    const ended = async () =>
      (await gateway.auditLog()).filter((line) => line.includes('"action.completed"'))
    await until(async () => (await ended()).length === 5)
  })
  afterAll(async () => {
    await gateway.close()
    upstream.close()
  })

  const story = async (name: 'dana' | 'omar' | 'priya' | 'noor') => {
    const response = await gateway.person(name, `/api/audit/traces/${trace}`)
    return { status: response.status, body: (await response.json()) as Story }
  }
  const summaries = ({ actions }: Story) =>
    actions.map(({ events }) => events.find(({ details }) => details?.summary)?.details?.summary)

  test('has every call of it in order, with what was called beneath its caller', async () => {
    const { body } = await story('dana')
    expect(body).toMatchObject({ trace, complete: true, hidden: 0 })
    expect(summaries(body)).toEqual([
      'POST /v1/chat/completions',
      'GET /tools/customer',
      'GET /v1/customers/17',
      'POST /v1/refunds',
    ])
    const [model, tool, statement, refund] = body.actions
    expect(statement).toMatchObject({ under: tool!.id, caller: null })
    for (const own of [model, tool, refund])
      expect(own).toMatchObject({ under: null, caller: agentsSpan })
  })

  test('has decisions, votes and outcomes, those without a trace of their own too', async () => {
    const { body } = await story('dana')
    expect(body.actions[0]!.events.map(({ type }) => type)).toEqual([
      'action.decided',
      'action.completed',
    ])
    expect(body.actions[3]!.events.map(({ type }) => type)).toEqual([
      'approval.requested',
      'action.decided',
      'approval.voted',
      'approval.resolved',
      'action.dispatched',
      'action.completed',
    ])
  })

  test('is all there for whoever owns the agent, and otherwise what its approvals are for', async () => {
    const { body: owners } = await story('priya')
    expect(owners.actions).toHaveLength(4)
    const { body: omars } = await story('omar')
    expect(summaries(omars)).toEqual(['POST /v1/refunds'])
    expect(omars.hidden).toBe(3)
  })

  test('is nobody else’s, and not there at all for those who may see none of it', async () => {
    const strangers = await gateway.person('noor', `/api/audit/traces/${'f'.repeat(32)}`)
    expect(strangers.status).toBe(404)
    const agents = await fetch(`${gateway.controlUrl}/api/audit/traces/${trace}`, {
      headers: { authorization: `Bearer ${await gateway.agentToken()}` },
    })
    expect(agents.status).toBe(403)
    expect((await gateway.person('dana', '/api/audit/traces/x%27--')).status).toBe(400)
  })

  test('what a run did is found by its trace, its rule, its effect and its result', async () => {
    for (const query of [
      `trace=${trace}`,
      `rule=crm-calls&q=chat/comp`,
      'effect=write',
      'result=succeeded',
    ]) {
      const response = await gateway.person('dana', `/api/audit/events?${query}`)
      const { events } = (await response.json()) as { events: object[] }
      expect(events.length, query).toBeGreaterThan(0)
    }
  })

  const post = (path: string, body: object) =>
    gateway.person('dana', path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body),
    })
  const save = (name: string, query: object) => post('/api/audit/searches', { name, query })

  test('a search is saved by name, for oneself, and run again by the console and the command line', async () => {
    expect((await save('what was held', { decision: 'hold', q: 'never' })).status).toBe(204)
    expect((await save('what was held', { decision: 'hold', since: '24h' })).status).toBe(204)
    const saved = await gateway.person('dana', '/api/audit/searches')
    expect(await saved.json()).toMatchObject({
      searches: [{ name: 'what was held', query: { decision: 'hold', since: '24h' } }],
    })

    const environment = {
      SALLYPORT_URL: gateway.controlUrl,
      SALLYPORT_TOKEN: await gateway.personToken('dana'),
    }
    const cli = (...argv: string[]) => sallyport(['audit', 'search', ...argv], { environment })
    expect((await cli('--saved')).out).toContain('what was held  since=24h&decision=hold')
    const { out } = await cli('--saved', 'what was held', '--json')
    expect(
      new Set(
        out
          .trim()
          .split('\n')
          .map((line) => (JSON.parse(line) as { decision: string }).decision),
      ),
    ).toEqual(new Set(['hold']))
    expect((await cli('--saved', 'what was held', '--to', '2020-01-01T00:00:00Z')).notes).toBe(
      'Nothing here.',
    )
    expect(await cli('--saved', 'another')).toMatchObject({ code: 1 })

    const forget = () => post('/api/audit/searches/forget', { name: 'what was held' })
    expect((await forget()).status).toBe(204)
    expect((await forget()).status).toBe(404)
  })

  test('fifty searches are enough, and what is no search is not saved', async () => {
    for (let i = 0; i < 50; i += 1) expect((await save(`search ${i}`, { q: 'x' })).status).toBe(204)
    expect((await save('one more', { q: 'x' })).status).toBe(400)
    expect((await save('search 7', { q: 'changed' })).status).toBe(204)
    expect((await save('search 7', { limit: '5' })).status).toBe(400)
    expect((await gateway.person('omar', '/api/audit/searches')).status).toBe(403)
  })
})
