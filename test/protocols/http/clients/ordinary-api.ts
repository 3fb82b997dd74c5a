import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'

type Route = (request: IncomingMessage, response: ServerResponse, url: URL) => unknown

const json = (response: ServerResponse, value: unknown, status = 200): void => {
  response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value))
}

const large = Buffer.alloc(3_000_000, 'sallyport ')

/** What an API does that its clients have to cope with. Of addresses it knows its own alone. */
const routes: Readonly<Record<string, Route>> = {
  '/v1/echo': async (request, response) => {
    const body = await buffer(request)
    json(response, {
      method: request.method,
      url: request.url,
      type: request.headers['content-type'] ?? null,
      mine: request.headers['x-mine'] ?? null,
      body: { bytes: body.length, sha256: createHash('sha256').update(body).digest('hex') },
    })
  },
  '/v1/found': (_, response) => response.writeHead(302, { location: '/v1/echo?found' }).end(),
  '/v1/again': (request, response) => {
    request.resume()
    response.writeHead(307, { location: `http://${request.headers.host}/v1/echo?again` }).end()
  },
  '/v1/login': (_, response) => {
    response.setHeader('set-cookie', ['sid=s1; Path=/; HttpOnly', 'theme=dark; Path=/v1'])
    json(response, 'welcome')
  },
  '/v1/me': (request, response) => json(response, { cookie: request.headers.cookie ?? null }),
  '/v1/gzip': (_, response) =>
    response
      .writeHead(200, { 'content-encoding': 'gzip', 'content-type': 'text/plain' })
      .end(gzipSync('compressed '.repeat(1000))),
  '/v1/stream': (_, response) => {
    for (let index = 0; index < 200; index++) response.write(`${index}\n`)
    response.end()
  },
  '/v1/etag': (request, response) => {
    if (request.headers['if-none-match'] === '"e1"') response.writeHead(304, { etag: '"e1"' }).end()
    else response.writeHead(200, { etag: '"e1"' }).end('fresh')
  },
  '/v1/large': (request, response) => {
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? []
    if (first === undefined) return response.writeHead(200).end(large)
    const part = large.subarray(Number(first), Number(last) + 1)
    const range = `bytes ${first}-${last}/${large.length}`
    response.writeHead(206, { 'content-range': range, 'content-length': part.length }).end(part)
  },
  '/v1/nothing': (request, response) => {
    request.resume()
    response.writeHead(204).end()
  },
  '/v1/closed': (_, response) => response.writeHead(200, { connection: 'close' }).end('closed'),
  '/v1/pages': (request, response, url) => {
    const page = Number(url.searchParams.get('page') ?? 1)
    if (page < 3) {
      response.setHeader(
        'link',
        `<http://${request.headers.host}/v1/pages?page=${page + 1}>; rel="next"`,
      )
    }
    json(response, [page])
  },
}

export interface OrdinaryApi {
  readonly url: string
  close(): Promise<void>
}

/** An API like many, on a free port. */
export async function startOrdinaryApi(): Promise<OrdinaryApi> {
  const server = createServer((request, response) => {
    const url = new URL(request.url!, 'http://api')
    const route = routes[url.pathname]
    if (route) void route(request, response, url)
    else {
      request.resume()
      json(response, { error: 'there is no such thing' }, 404)
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async close() {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
