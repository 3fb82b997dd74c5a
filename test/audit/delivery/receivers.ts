import { once } from 'node:events'
import { createServer as createHttp, type IncomingMessage } from 'node:http'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createServer as createTls, type TlsOptions } from 'node:tls'
import { Webhook } from 'standardwebhooks'
import { atEnd } from '../../support/store.ts'

export const secret = `whsec_${Buffer.alloc(32, 7).toString('base64')}`

export interface Post {
  readonly id: string
  readonly first: number
  readonly end: number
  readonly body: string
}

/** A SIEM that checks signatures, keeps the index of what it has, and forgets what it has already. */
export class Siem {
  readonly posts: Post[] = []
  /** Lines that it has taken, in the order in which they came. */
  readonly lines: string[] = []
  /** The index that it expects next. */
  cursor = 0
  /** What it does before it answers, or in place of an answer. */
  before: (post: Post, request: IncomingMessage) => Promise<number | null> = async () => 200
  url = ''

  static async start(cursor = 0): Promise<Siem> {
    const siem = new Siem()
    siem.cursor = cursor
    const server = createHttp((request, response) => {
      void (async () => {
        const chunks: Buffer[] = []
        for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
        const body = Buffer.concat(chunks).toString()
        const headers = request.headers as Record<string, string>
        new Webhook(secret).verify(body, headers, { jsonParse: false })
        const id = headers['webhook-id']!
        const [first, end] = id.split('-').slice(2, 4).map(Number) as [number, number]
        const post = { id, first, end, body }
        siem.posts.push(post)
        const status = await siem.before(post, request)
        if (status === 200) siem.#take(post)
        if (status === null) request.socket.destroy()
        else response.writeHead(status).end()
      })()
    })
    siem.url = `http://127.0.0.1:${await listen(server)}/path-that-only-the-receiver-knows`
    return siem
  }

  #take({ first, end, body }: Post): void {
    if (first > this.cursor) throw new Error(`${this.cursor} to ${first} never came`)
    if (first < this.cursor) return
    this.lines.push(...body.trimEnd().split('\n'))
    this.cursor = end
  }
}

/** A collector of syslog that reads octet-counted messages, and closes when its peer has. */
export class Collector {
  readonly messages: string[] = []
  /** `true`: it goes away in the middle of what it is told. */
  dies = false
  port = 0

  static async start(tls: TlsOptions | null = null): Promise<Collector> {
    const collector = new Collector()
    const serve = (socket: Socket) => collector.#serve(socket)
    const server = tls ? createTls(tls, serve) : createServer(serve)
    collector.port = await listen(server)
    return collector
  }

  #serve(socket: Socket): void {
    let rest: Buffer = Buffer.alloc(0)
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk])
      for (let space; (space = rest.indexOf(' ')) !== -1;) {
        const length = Number(rest.subarray(0, space).toString('latin1'))
        if (!Number.isSafeInteger(length)) throw new Error('this is no octet count')
        const end = space + 1 + length
        if (rest.length < end) break
        this.messages.push(rest.subarray(space + 1, end).toString())
        rest = rest.subarray(end)
        if (this.dies) {
          this.dies = false
          socket.resetAndDestroy()
          return
        }
      }
    })
  }
}

async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  atEnd(async () => {
    server.close()
  })
  return (server.address() as AddressInfo).port
}
