import fastify from 'fastify'
import type { ZodTypeProvider } from 'fastify-type-provider-zod'
import { expect, test } from 'vitest'
import { sendProblem } from '../../src/console/problem.ts'
import { metricsRoutes } from '../../src/console/routes/metrics.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { Metrics } from '../../src/telemetry/metrics.ts'

const facts = async () => ({
  storeKind: 'embedded',
  leaseHeld: true,
  policy: { hash: 'f00', rules: 1 },
  holdsWaiting: 0,
  auditQueue: 0,
  backgroundUp: true,
  backlog: null,
  unreadable: null,
  openApprovals: null,
  channels: null,
  deliveries: null,
})

/** The status of a scrape from an address, of a control plane without a token unless there is one. */
async function scrape(
  from: string,
  { behindProxy = false, token }: { behindProxy?: boolean; token?: string } = {},
) {
  const server = fastify().withTypeProvider<ZodTypeProvider>()
  const log = createLog('silent')
  server.setErrorHandler((error, request, reply) => sendProblem(error, request, reply, log))
  await server.register(metricsRoutes, { metrics: new Metrics(), facts, token, behindProxy })
  const { statusCode, body } = await server.inject({
    url: '/metrics',
    remoteAddress: from,
    headers: { 'x-forwarded-for': '127.0.0.1' },
  })
  await server.close()
  return { statusCode, body }
}

test('without a token, this machine may read them', async () => {
  for (const from of ['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1'])
    expect((await scrape(from)).statusCode, from).toBe(200)
})

test('without a token, nobody else may, whatever they say about where they come from', async () => {
  for (const from of ['10.0.0.7', '192.168.1.2', '::2', '::ffff:10.0.0.7', '1.127.0.0'])
    expect((await scrape(from)).statusCode, from).toBe(403)
})

test('behind a proxy everybody seems to be this machine, so nobody may', async () => {
  const { statusCode, body } = await scrape('127.0.0.1', { behindProxy: true })
  expect(statusCode).toBe(403)
  expect(JSON.parse(body).detail).toContain('metrics.token')
})

test('with a token, this machine needs it too', async () => {
  expect((await scrape('127.0.0.1', { token: 'x'.repeat(16) })).statusCode).toBe(401)
})
