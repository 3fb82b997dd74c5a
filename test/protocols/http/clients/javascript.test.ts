import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import axios from 'axios'
import got from 'got'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startGateway, type Gateway } from '../gateway.ts'
import { startOrdinaryApi, type OrdinaryApi } from './ordinary-api.ts'

// Each client does what it is for, at the API itself and then through the gateway, and must not be able to tell the difference.

let api: OrdinaryApi
let gateway: Gateway
beforeAll(async () => {
  api = await startOrdinaryApi()
  gateway = await startGateway([{ upstream: api.url }])
})
afterAll(async () => {
  await gateway.close()
  await api.close()
})

const headers = { authorization: 'Bearer alice', 'x-mine': '1' }
const large = Buffer.alloc(400_000, 'sallyport ')
const digest = (bytes: Buffer | string) => createHash('sha256').update(bytes).digest('hex')
const pieces = () =>
  Readable.from(Array.from({ length: 100 }, (_, index) => Buffer.from(`${index} `)))

/** What a client saw at this address. */
type Session = (base: string) => Promise<unknown[]>

const sessions: Readonly<Record<string, Session>> = {
  async fetch(base) {
    const ask = (path: string, more: RequestInit = {}) => fetch(base + path, { headers, ...more })
    const follow = await ask('/v1/again', { method: 'POST', body: '{"kept":true}' })
    return [
      await (await ask('/v1/echo?q=a%20b&c=%C3%BC')).json(),
      await (await ask('/v1/echo', { method: 'PUT', body: large })).json(),
      await (
        await ask('/v1/echo', {
          method: 'POST',
          body: Readable.toWeb(pieces()) as ReadableStream,
          duplex: 'half',
        })
      ).json(),
      [await follow.json(), follow.redirected, follow.url.slice(base.length)],
      await (await ask('/v1/gzip')).text(),
      digest(Buffer.from(await (await ask('/v1/large')).arrayBuffer())),
      digest(await (await ask('/v1/stream')).text()),
      (await ask('/v1/nothing', { method: 'DELETE' })).status,
      (await ask('/v1/missing')).status,
      (await ask('/v1/etag', { headers: { ...headers, 'if-none-match': '"e1"' } })).status,
      (await ask('/v1/large', { method: 'HEAD' })).headers.get('content-type'),
    ]
  },

  async axios(base) {
    const client = axios.create({ baseURL: base, headers, proxy: false })
    const seen = async (answer: Promise<{ status: number; data: unknown }>) => {
      const { status, data } = await answer
      return [status, data]
    }
    return [
      await seen(client.get('/v1/echo', { params: { q: 'a b', list: ['x', 'y'] } })),
      await seen(client.post('/v1/echo', { a: 1 })),
      await seen(client.patch('/v1/echo', new URLSearchParams({ a: 'ü' }))),
      await seen(client.post('/v1/echo', pieces())),
      await seen(client.post('/v1/again', { kept: true })),
      await seen(client.get('/v1/found')),
      await seen(client.get('/v1/gzip')),
      await seen(client.get('/v1/missing').catch((error) => error.response)),
      digest((await client.get<Buffer>('/v1/large', { responseType: 'arraybuffer' })).data),
    ]
  },

  async got(base) {
    const client = got.extend({ prefixUrl: base, headers })
    const found = await client('v1/found')
    const pages = await client.paginate.all<number>('v1/pages')
    return [
      await client('v1/echo', { searchParams: { q: 'a b' } }).json(),
      await client.put('v1/echo', { json: { a: 1 } }).json(),
      await client.post('v1/echo', { body: pieces() }).json(),
      [found.body, found.redirectUrls.map((url) => url.href.slice(base.length))],
      await client('v1/gzip').text(),
      pages,
      (await client('v1/missing', { throwHttpErrors: false })).statusCode,
    ]
  },
}

test.each(Object.entries(sessions))('%s', async (_, session) => {
  const direct = await session(api.url)
  expect(await session(`${gateway.url}/crm`)).toEqual(direct)
})
