import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import { createServer as createTlsServer, type TlsOptions } from 'node:tls'

/** One request as the upstream read it: its bytes, in Latin-1, and nothing normalised. */
export interface Received {
  /** Everything, byte for byte. */
  readonly raw: string
  readonly line: string
  /** Header lines as they came. */
  readonly headers: readonly string[]
  readonly body: string
  /** Which connection it came on, from 0. */
  readonly connection: number
}

/** Answers one request: text is written as it is; a function gets the socket, and writes what it likes. */
export type Script = (
  request: Received,
  index: number,
) => string | Buffer | ((socket: Socket) => void)

export interface Upstream {
  readonly port: number
  readonly url: string
  /** Every request that was read as one, in order. */
  readonly requests: Received[]
  /** Every byte of each connection, in order. */
  readonly connections: Buffer[]
  readonly sockets: Socket[]
  /** Resolves when so many requests have come. */
  received(count: number): Promise<void>
  close(): Promise<void>
}

export const ok = (body: string, headers = ''): string =>
  `HTTP/1.1 200 OK\r\nContent-Length: ${Buffer.byteLength(body)}\r\n${headers}\r\n${body}`

/**
 * A raw TCP upstream that keeps exactly the bytes that it gets, and counts requests the way a plain server would: by Content-Length, or by chunks. What
 * it finds behind a request is the next one, so a smuggled request shows up as one.
 */
export async function startUpstream(
  script: Script = () => ok('ok'),
  tls?: TlsOptions,
): Promise<Upstream> {
  const requests: Received[] = []
  const connections: Buffer[] = []
  const sockets: Socket[] = []
  const waiting: { count: number; resolve: () => void }[] = []

  function serve(socket: Socket): void {
    const connection = connections.length
    connections.push(Buffer.alloc(0))
    sockets.push(socket)
    let unread = ''
    socket.on('error', () => socket.destroy())
    socket.on('data', (bytes: Buffer) => {
      connections[connection] = Buffer.concat([connections[connection]!, bytes])
      unread += bytes.toString('latin1')
      for (;;) {
        const length = requestLength(unread)
        if (length === null) return
        const request = { ...split(unread.slice(0, length)), connection }
        unread = unread.slice(length)
        requests.push(request)
        const answer = script(request, requests.length - 1)
        if (typeof answer === 'function') answer(socket)
        else socket.write(answer, 'latin1')
        for (const { count, resolve } of waiting) if (requests.length >= count) resolve()
      }
    })
  }

  const server: Server = tls ? createTlsServer(tls, serve) : createServer(serve)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    port,
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}`,
    requests,
    connections,
    sockets,
    received: (count) =>
      new Promise((resolve) => {
        if (requests.length >= count) resolve()
        else waiting.push({ count, resolve })
      }),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

/** Characters of the first request in this text, or `null` while it is not whole. */
function requestLength(text: string): number | null {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return null
  const head = text.slice(0, end + 2)
  const start = end + 4
  if (/\r\ntransfer-encoding:/i.test(head)) {
    const last = /(?:^|\r\n)0\r\n(?:[^\r\n]+\r\n)*\r\n/.exec(text.slice(start))
    return last ? start + last.index + last[0].length : null
  }
  const length = Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1] ?? 0)
  return text.length >= start + length ? start + length : null
}

function split(raw: string): Omit<Received, 'connection'> {
  const end = raw.indexOf('\r\n\r\n')
  const [line = '', ...headers] = raw.slice(0, end).split('\r\n')
  return { raw, line, headers, body: raw.slice(end + 4) }
}
