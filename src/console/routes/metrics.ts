import { createHash, timingSafeEqual } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import { Problem } from '../../core/errors.ts'
import type { Metrics } from '../../telemetry/metrics.ts'
import type { Facts } from '../../telemetry/show-facts.ts'
import type { ControlServer } from '../context.ts'

interface MetricsDeps {
  readonly metrics: Metrics
  readonly facts: () => Promise<Facts>
  /** The token that a scraper has to send. */
  readonly token: string | undefined
  /**
   * Whether requests can come through a proxy, so that every client seems to be on this machine.
   */
  readonly behindProxy: boolean
}

/**
 * Metrics for Prometheus. Agent keys give no access: they are looked up in the store, and metrics
 * are needed most when that is unavailable. Where a token is configured, clients have to send it.
 * Where none is, only this machine has access, and nobody where a proxy could make every client
 * look like this machine.
 */
export async function metricsRoutes(app: ControlServer, deps: MetricsDeps): Promise<void> {
  const { metrics, facts, token, behindProxy } = deps

  app.get(
    '/metrics',
    {
      config: { access: 'public' },
      schema: { summary: 'Metrics, in the text format of Prometheus', produces: ['text/plain'] },
      onRequest: async (request) => {
        if (token === undefined) refuseStrangers(request, behindProxy)
        else if (!presents(request, token))
          throw new Problem('unauthenticated', 'Present metrics.token of the configuration.')
      },
    },
    async (_request, reply) =>
      reply.type(metrics.contentType).send(await metrics.text(await facts())),
  )
}

function refuseStrangers({ socket }: FastifyRequest, behindProxy: boolean): void {
  const from = socket.remoteAddress ?? ''
  const local = /^(::ffff:)?127\.|^::1$/.test(from)
  // Closed: behind a proxy of the same machine, an address says nothing.
  if (local && !behindProxy) return
  throw new Problem(
    'forbidden',
    'Without metrics.token in the configuration, metrics are for this machine alone, and for nobody behind a proxy (public_url).',
  )
}

/** In constant time: the hashes have the same length, whatever was sent. */
function presents({ headers }: FastifyRequest, token: string): boolean {
  return timingSafeEqual(hash(headers.authorization ?? ''), hash(`Bearer ${token}`))
}

const hash = (text: string) => createHash('sha256').update(text).digest()
