import { expect, test } from 'vitest'
import type { EventInput } from '../../../src/core/event.ts'
import { Problem } from '../../../src/core/errors.ts'
import { createRefusedRequests } from '../../../src/gate/refused-requests.ts'
import { createLog } from '../../../src/telemetry/log.ts'
import { behind, request } from './gateway.ts'

test('what a known agent asked for and was refused is noted; what a stranger did is not', async () => {
  const { upstream, gateway } = await behind()
  const { refusals } = gateway.gate
  await gateway.raw(request('/crm/v1/../admin'))
  await gateway.raw(request('/nowhere?x=1'))
  await gateway.raw(request('/crm//v1').replace('alice', 'no-body'))
  await gateway.raw(request('/crm//v1', { headers: ['Authorization: Bearer bob'] }))
  await expect.poll(() => refusals.length).toBe(2)
  expect(
    refusals.map(({ subject, summary, problem }) => [subject.subject, summary, problem.code]),
  ).toEqual([
    ['alice', 'GET /crm/v1/../admin', 'ambiguous-request'],
    ['alice', 'GET /nowhere?x=1', 'no-resource'],
  ])
  expect(upstream.connections).toEqual([])
})

test('class 23: refused requests cannot fill the audit log: beyond some a second they are counted', () => {
  const events: EventInput[] = []
  const audit = { append: async (event: EventInput) => void events.push(event) }
  const note = createRefusedRequests(audit, createLog('error'))
  const subject = { issuer: 'https://idp.test', subject: 'alice' } as never
  const problem = new Problem('ambiguous-request', 'The path has a dot segment.')
  const begun = performance.now()
  for (let i = 0; i < 100_000; i++) note({ subject, summary: `GET /${'x'.repeat(9_000)}`, problem })
  const seconds = Math.ceil((performance.now() - begun) / 1000) + 1
  expect(events.length).toBeGreaterThanOrEqual(20)
  expect(events.length).toBeLessThanOrEqual(20 * seconds)
  expect(events[0]).toMatchObject({ type: 'request.refused', reason: 'ambiguous-request' })
  expect(events[0]!.details!['summary']).toHaveLength(300)
})
