import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { policies } from './policies.ts'
import { problemIn, refund, waiting } from './requests.ts'

interface Value {
  readonly stringValue?: string
  readonly intValue?: string
}

interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly startTimeUnixNano: string
  readonly endTimeUnixNano: string
  readonly attributes: readonly { readonly key: string; readonly value: Value }[]
  readonly status: { readonly code?: number }
}

interface Export {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: Span['attributes'] }
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[]
  }[]
}

/** A collector that takes OTLP over HTTP, until it is told not to. */
async function startCollector() {
  const taken: Export[] = []
  const keys: (string | undefined)[] = []
  const collector = { status: 200 }
  const server = createServer((message, response) => {
    void json(message).then((body) => {
      keys.push(message.headers['x-api-key'] as string | undefined)
      if (collector.status === 200) taken.push(body as Export)
      response.writeHead(collector.status).end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return Object.assign(collector, {
    url: `http://127.0.0.1:${port}/v1/traces`,
    taken,
    keys,
    spans: () =>
      taken.flatMap(({ resourceSpans }) =>
        resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)),
      ),
    close: () => new Promise((resolve) => server.close(resolve)),
  })
}

const soon = { timeout: 60_000, interval: 50 }
const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
const caller = '00f067aa0ba902b7'

let upstream: CountingUpstream
let collector: Awaited<ReturnType<typeof startCollector>>
let gateway: TestGateway

beforeAll(async () => {
  upstream = await startCountingUpstream()
  collector = await startCollector()
  gateway = await startTestGateway({
    upstream: upstream.url,
    policies,
    config: `telemetry: { traces: { endpoint: '${collector.url}', headers: { X-Api-Key: key-of-the-collector } } }`,
  })
})

beforeEach(() => {
  upstream.arrived.length = 0
  collector.taken.length = 0
})

afterAll(async () => {
  await gateway.close()
  await collector.close()
  await upstream.close()
})

async function spansNamed(name: string, count = 1): Promise<Span[]> {
  const named = () => collector.spans().filter((span) => span.name === name)
  await expect.poll(() => named().length, soon).toBeGreaterThanOrEqual(count)
  return named()
}

const said = ({ attributes }: Span) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0] as string]))

describe('traces', () => {
  it('have a span for a held action, in the trace of its agent, with what it waited for below it', async () => {
    const request = waiting(refund(), 300)
    request.headers = { ...request.headers, traceparent: `00-${trace}-${caller}-01` }
    const asked = gateway.agent('/crm/v1/refunds?token=not-for-collectors', request)
    await gateway.vote('dana', await gateway.pending())
    const answer = await asked
    expect(answer.status).toBe(201)
    await answer.text()

    const [action] = await spansNamed('sallyport.action')
    expect(action).toMatchObject({ traceId: trace, parentSpanId: caller, kind: 2, status: {} })
    expect(said(action!)).toEqual({
      'sallyport.action': answer.headers.get('sallyport-action'),
      'sallyport.effect': 'write',
      'sallyport.resource': 'crm',
      'http.request.method': 'POST',
      'http.response.status_code': '201',
    })
    const children = collector.spans().filter(({ parentSpanId }) => parentSpanId === action!.spanId)
    expect(children.map(({ name }) => name)).toEqual([
      'sallyport.decision',
      'sallyport.wait',
      'sallyport.upstream',
    ])
    for (const child of children) {
      expect(child.traceId).toBe(trace)
      expect(BigInt(child.startTimeUnixNano)).toBeGreaterThanOrEqual(
        BigInt(action!.startTimeUnixNano),
      )
      expect(BigInt(child.endTimeUnixNano)).toBeLessThanOrEqual(BigInt(action!.endTimeUnixNano))
    }
    // What the upstream records hangs below the span of its own request.
    expect(upstream.arrived[0]!.headers['traceparent']).toBe(
      `00-${trace}-${children[2]!.spanId}-01`,
    )
    expect(collector.keys.at(-1)).toBe('key-of-the-collector')
    const all = JSON.stringify(collector.taken)
    expect(all).toContain('"service.name"')
    for (const secret of ['not-for-collectors', 'amount_cents', 'support-agent', 'refunds']) {
      expect(all).not.toContain(secret)
    }
  })

  it('say why an action was refused, and have nothing below that did not happen', async () => {
    await problemIn(gateway.agent('/crm/v1/customers/c-1', { method: 'DELETE' }), 'denied')
    const [action] = await spansNamed('sallyport.action')
    expect(said(action!)).toMatchObject({
      'sallyport.refused': 'denied',
      'http.response.status_code': '403',
    })
    expect(action!.parentSpanId).toBeUndefined()
    const children = collector.spans().filter(({ parentSpanId }) => parentSpanId === action!.spanId)
    expect(children.map(({ name }) => name)).toEqual(['sallyport.decision'])
  })

  it('go on in the run that the gateway does by itself', async () => {
    const request = refund()
    const headers = { ...(request.headers as object), prefer: 'respond-async' }
    const response = await gateway.agent('/crm/v1/refunds', { ...request, headers })
    expect(response.status).toBe(202)
    await gateway.vote('dana', await gateway.pending())
    const spans = await spansNamed('sallyport.action', 2)
    const held = spans.find((span) => said(span)['http.response.status_code'] === '202')!
    const run = spans.find((span) => span !== held)!
    expect(run).toMatchObject({ traceId: held.traceId, parentSpanId: held.spanId })
    expect(said(run)).toMatchObject({ 'http.response.status_code': '201' })
  })

  it('are not made for a caller that does not record its own', async () => {
    const headers = { traceparent: `00-${trace}-${caller}-00` }
    await (await gateway.agent('/crm/v1/customers', { headers })).text()
    await (await gateway.agent('/crm/v1/customers')).text()
    const spans = await spansNamed('sallyport.action')
    expect(spans.map(({ traceId }) => traceId)).not.toContain(trace)
    expect(upstream.arrived[0]!.headers['traceparent']).toMatch(
      new RegExp(`^00-${trace}-.{16}-00$`),
    )
  })

  it('keep nobody waiting for a collector that is away, and are counted as dropped', async () => {
    collector.status = 503
    const response = await gateway.agent('/crm/v1/customers')
    expect(response.status).toBe(200)
    await response.text()
    await expect
      .poll(async () => {
        const metrics = await (await fetch(`${gateway.controlUrl}/metrics`)).text()
        return Number(/^sallyport_trace_spans_dropped_total (\d+)$/m.exec(metrics)![1])
      }, soon)
      .toBeGreaterThanOrEqual(3)
    expect(gateway.logged()).toContain('spans cannot be exported')
  })
})
