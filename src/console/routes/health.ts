import { z } from 'zod'
import { Problem } from '../../core/errors.ts'
import type { ControlServer, ControlServerDeps } from '../context.ts'

/** For load balancers, and the description of the API. */
export async function healthRoutes(
  app: ControlServer,
  { ready }: Pick<ControlServerDeps, 'ready'>,
): Promise<void> {
  const status = z.object({ status: z.literal('ok') })

  app.get(
    '/healthz',
    {
      config: { access: 'public' },
      schema: { description: 'The process runs.', response: { 200: status } },
    },
    async () => ({ status: 'ok' as const }),
  )

  app.get(
    '/readyz',
    {
      config: { access: 'public' },
      schema: { description: 'It can take work: its store answers.', response: { 200: status } },
    },
    async () => {
      if (!(await ready())) throw new Problem('store-unavailable', 'The store does not answer.')
      return { status: 'ok' as const }
    },
  )

  app.get('/api/openapi.json', { config: { access: 'public' }, schema: { hide: true } }, () =>
    app.swagger(),
  )
}
