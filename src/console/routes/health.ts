import { z } from 'zod'
import { Problem } from '../../core/errors.ts'
import type { ControlServer, ControlServerDeps, Obstacle } from '../context.ts'

const obstacles: Record<Obstacle, string> = {
  draining: 'This replica is stopping, and takes no more work.',
  'store-away': 'The store does not answer, so nothing is forwarded.',
  'lease-lost':
    'This replica has not reached the store for so long that others may take it for dead, so it forwards nothing.',
  'policies-unreadable':
    'This replica cannot read the policies that are in force, so it forwards nothing. Its log says why; mostly, it is of an older version than another one.',
}

/** Health for load balancers, and the description of the API. */
export async function healthRoutes(
  app: ControlServer,
  { obstacle }: Pick<ControlServerDeps, 'obstacle'>,
): Promise<void> {
  const status = z.object({ status: z.literal('ok') })

  app.get(
    '/healthz',
    {
      config: { access: 'public' },
      schema: { summary: 'The process runs', response: { 200: status } },
    },
    async () => ({ status: 'ok' as const }),
  )

  app.get(
    '/readyz',
    {
      config: { access: 'public' },
      schema: {
        summary: 'It can take work',
        description:
          'It is not stopping, its store answers, no other replica can take it for dead, and it decides by the policies that are in force.',
        response: { 200: status },
      },
    },
    async () => {
      const reason = await obstacle()
      if (reason) throw new Problem('store-unavailable', obstacles[reason], { reason })
      return { status: 'ok' as const }
    },
  )

  app.get('/api/openapi.json', { config: { access: 'public' }, schema: { hide: true } }, () =>
    app.swagger(),
  )
}
