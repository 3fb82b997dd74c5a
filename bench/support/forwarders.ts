/** One of the forwarders that bench/http-forward.ts compares, in a process of its own: KIND UPSTREAM_URL PORT. */
import { Agent as HttpAgent, request as httpRequest, type OutgoingHttpHeaders } from 'node:http'
import httpProxy from '@fastify/http-proxy'
import fastify from 'fastify'
import { Agent as UndiciAgent, type Dispatcher } from 'undici'
import { configSchema, isHttp } from '../../src/config/schema.ts'
import { createAgentServer } from '../../src/protocols/http/server.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { allowingGate } from '../../test/support/allowing-gate.ts'

const [kind, upstream, port] = process.argv.slice(2) as [string, string, string]

/** Everything of this protocol: strict check, headers, action, permit, forwarding. The gate says yes, and the token is known. */
async function sallyport(): Promise<void> {
  const subject = {
    issuer: 'https://idp.test',
    subject: 'bench',
    kind: 'agent',
    groups: ['agents'],
    owner: null,
    chain: [],
    related: [],
    claims: {},
  } as const
  const principal = { subject, credential: { kind: 'jwt', id: 'bench', expiresAt: null } } as const
  const server = createAgentServer({
    listen: {
      ...configSchema.shape.listen.parse({}).agents,
      address: { host: '127.0.0.1', port: Number(port) },
    },
    resources: configSchema.shape.resources
      .parse([
        {
          name: 'crm',
          protocol: 'http',
          match: { prefix: '/crm' },
          upstream,
          read: ['GET /v1/**'],
        },
      ])
      .filter(isHttp),
    binding: () => 'bench',
    authenticator: { authenticate: () => principal },
    gate: allowingGate,
    limits: { maxBody: 1024 * 1024, maxResponse: 1024 * 1024 },
    log: createLog('info'),
  })
  await server.listen()
}

/** What most gateways on Fastify do, and nothing else. */
async function bareHttpProxy(): Promise<void> {
  const app = fastify()
  await app.register(httpProxy, { upstream, prefix: '/crm' })
  await app.listen({ host: '127.0.0.1', port: Number(port) })
}

/** A Fastify that takes bodies as they come. */
function unparsed() {
  const app = fastify()
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_, body, done) => done(null, body))
  return app
}

/** The same route with Node's own client behind it, and nothing else. */
async function nodeHttp(): Promise<void> {
  const app = unparsed()
  const agent = new HttpAgent({ keepAlive: true })
  const target = new URL(upstream)
  app.all('/crm/*', ({ raw }, reply) => {
    reply.hijack()
    const headers: OutgoingHttpHeaders = { ...raw.headers, host: target.host }
    const path = raw.url!.slice('/crm'.length)
    const call = httpRequest(
      { agent, hostname: target.hostname, port: target.port, path, method: raw.method, headers },
      (answer) => {
        reply.raw.writeHead(answer.statusCode!, answer.rawHeaders)
        answer.pipe(reply.raw)
      },
    )
    call.on('error', () => reply.raw.destroy())
    raw.pipe(call)
  })
  await app.listen({ host: '127.0.0.1', port: Number(port) })
}

/** The same route with undici's dispatch behind it, and nothing else. */
async function undiciDispatch(): Promise<void> {
  const app = unparsed()
  const agent = new UndiciAgent({ connections: 256 })
  app.all('/crm/*', ({ raw }, reply) => {
    reply.hijack()
    const response = reply.raw
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: () => undefined,
      onResponseStart(_, status, headers) {
        response.writeHead(status, headers as OutgoingHttpHeaders)
      },
      onResponseData(_, chunk) {
        response.write(chunk)
      },
      onResponseEnd: () => void response.end(),
      onResponseError: () => void response.destroy(),
    }
    const path = raw.url!.slice('/crm'.length)
    const { connection: _, ...headers } = raw.headers
    const method = raw.method as Dispatcher.HttpMethod
    agent.dispatch(
      { origin: upstream, path, method, headers, body: method === 'GET' ? null : raw },
      handler,
    )
  })
  await app.listen({ host: '127.0.0.1', port: Number(port) })
}

const kinds: Record<string, () => Promise<void>> = {
  sallyport,
  bareHttpProxy,
  nodeHttp,
  undiciDispatch,
}
await kinds[kind]!()
console.log('ready')
