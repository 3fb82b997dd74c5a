import { randomBytes, timingSafeEqual } from 'node:crypto'
import { fastify, type FastifyInstance, type FastifyRequest } from 'fastify'
import { demoCustomers, demoOrders, type Customer, type Order } from './demo-data.ts'

export interface DemoApi {
  readonly url: string
  /** What its callers have to present. The gateway puts it in; agents never see it. */
  readonly token: string
  /** What has really arrived, oldest first. */
  readonly requests: readonly DemoRequest[]
  close(): Promise<void>
}

export interface DemoRequest {
  readonly method: string
  readonly url: string
  readonly status: number
}

/**
 * A small company's API on loopback, in memory: the production that the quickstart protects. Port 0
 * takes any free one; a token that is not given is made.
 */
export async function startDemoApi({
  port,
  token = randomBytes(24).toString('base64url'),
}: {
  port: number
  token?: string
}): Promise<DemoApi> {
  const requests: DemoRequest[] = []
  const app = fastify({ forceCloseConnections: true })

  app.addHook('onRequest', async (request, reply) => {
    if (!presents(request, token))
      await reply.code(401).header('www-authenticate', 'Bearer').send({ error: 'unauthorized' })
  })
  app.addHook('onResponse', async ({ method, url }, { statusCode }) => {
    requests.push({ method, url, status: statusCode })
    if (requests.length > 1000) requests.shift()
  })
  addCustomers(app, [...demoCustomers])
  addOrders(app, [...demoOrders])
  addExports(app)

  const url = await app.listen({ host: '127.0.0.1', port })
  return { url, token, requests, close: () => app.close() }
}

function presents({ headers }: FastifyRequest, token: string): boolean {
  const [given, expected] = [
    Buffer.from(headers.authorization ?? ''),
    Buffer.from(`Bearer ${token}`),
  ]
  return given.length === expected.length && timingSafeEqual(given, expected)
}

const notFound = { error: 'not found' }

function addCustomers(app: FastifyInstance, customers: Customer[]): void {
  const find = (id: string) => customers.findIndex((customer) => customer.id === id)

  app.get('/v1/customers', () => ({ customers: customers.map(({ id, name }) => ({ id, name })) }))
  app.get<{ Params: { id: string } }>('/v1/customers/:id', async ({ params }, reply) => {
    return customers[find(params.id)] ?? reply.code(404).send(notFound)
  })
  app.delete<{ Params: { id: string } }>('/v1/customers/:id', async ({ params }, reply) => {
    const index = find(params.id)
    if (index < 0) return reply.code(404).send(notFound)
    customers.splice(index, 1)
    return reply.code(204).send()
  })
}

const text = { type: 'string', minLength: 1 }
const cents = { type: 'integer', minimum: 1 }
const texts = { type: 'array', items: text, minItems: 1 }

const bodyOf = (properties: Record<string, object>) => ({
  schema: {
    body: {
      type: 'object',
      properties,
      required: Object.keys(properties),
      additionalProperties: false,
    },
  },
})

function addOrders(app: FastifyInstance, orders: Order[]): void {
  const refunds: object[] = []

  app.get<{ Querystring: { customer?: string } }>('/v1/orders', ({ query }) => ({
    orders: orders.filter(({ customer }) => !query.customer || customer === query.customer),
  }))
  app.post<{ Body: Omit<Order, 'id'> }>(
    '/v1/orders',
    bodyOf({ customer: text, amount_cents: cents, items: texts }),
    async ({ body }, reply) => {
      const order = { id: `o-${1001 + orders.length}`, ...body }
      orders.push(order)
      return reply.code(201).send(order)
    },
  )
  app.post<{ Body: { order: string; amount_cents: number; reason: string } }>(
    '/v1/refunds',
    bodyOf({ order: text, amount_cents: cents, reason: text }),
    async ({ body }, reply) => {
      const order = orders.find(({ id }) => id === body.order)
      if (!order) return reply.code(404).send(notFound)
      if (body.amount_cents > order.amount_cents)
        return reply.code(422).send({ error: 'more than the order was' })
      const refund = { id: `r-${1 + refunds.length}`, ...body, status: 'refunded' }
      refunds.push(refund)
      return reply.code(201).send(refund)
    },
  )
}

function addExports(app: FastifyInstance): void {
  let exported = 0
  app.post<{ Body: { dataset: string; columns: string[] } }>(
    '/v1/exports',
    bodyOf({ dataset: text, columns: texts }),
    async ({ body }, reply) =>
      reply.code(202).send({ id: `e-${++exported}`, ...body, status: 'queued' }),
  )
}
