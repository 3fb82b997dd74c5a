import { afterEach, expect, test } from 'vitest'
import { ok, startUpstream } from '../../support/upstream.ts'
import { startGateway } from './gateway.ts'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

test('an allowed request reaches the upstream below its prefix, and its answer comes back', async () => {
  const upstream = await startUpstream(() => ok('{"id":1}', 'Content-Type: application/json\r\n'))
  closing.push(upstream.close)
  const gateway = await startGateway([{ upstream: `${upstream.url}/api` }])
  closing.push(gateway.close)
  const answer = await fetch(`${gateway.url}/crm/v1/customers?limit=2`, {
    headers: { authorization: 'Bearer alice' },
  })
  expect(answer.status).toBe(200)
  expect(await answer.text()).toBe('{"id":1}')
  expect(upstream.requests[0]!.line).toBe('GET /api/v1/customers?limit=2 HTTP/1.1')
  expect(gateway.gate.outcomes).toEqual([
    { result: 'succeeded', status: 200, bytes: 8, duration_ms: expect.any(Number) },
  ])
})
