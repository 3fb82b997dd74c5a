import { once } from 'node:events'
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2'
import * as tls from 'node:tls'
import { onTestFinished } from 'vitest'
import type { Config, HttpResource } from '../../../src/config/schema.ts'
import { Authority, type CertificateFiles } from '../../support/certificates.ts'
import type { Script } from '../../support/upstream.ts'
import { behind, type Gateway } from './gateway.ts'

let authority: Authority | undefined
let files: CertificateFiles | undefined

/** A gateway that speaks TLS, and so HTTP/2, in front of one upstream. */
export async function behindTls(
  script?: Script,
  resource: Partial<HttpResource> = {},
  limits: Partial<Config['listen']['agents']> = {},
) {
  authority ??= new Authority()
  files ??= authority.issue('http2')
  const tls = { min_version: 'TLSv1.2' as const, ...files }
  return { ca: authority.pem, ...(await behind(script, resource, { tls, limits })) }
}

export interface Answer {
  readonly status: number
  readonly headers: Record<string, unknown>
  readonly body: string
}

export function session(gateway: Gateway): ClientHttp2Session {
  const client = connectHttp2(gateway.url, { ca: authority!.pem })
  client.on('error', () => undefined)
  onTestFinished(() => client.destroy())
  return client
}

interface Ask {
  readonly method?: string
  readonly headers?: Record<string, string | string[]>
  readonly body?: string
}

/** One request as an HTTP/2 client of Node sends it, with alice's token. */
export function ask(
  client: ClientHttp2Session,
  path: string,
  { method = 'GET', headers = {}, body = '' }: Ask = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const endStream = body === ''
    const head = { ':method': method, ':path': path, authorization: 'Bearer alice', ...headers }
    const stream = client.request(head, { endStream })
    let answer = { status: 0, headers: {} as Record<string, unknown> }
    let text = ''
    stream.setEncoding('latin1')
    stream.on('response', (got) => (answer = { status: got[':status']!, headers: got }))
    stream.on('data', (chunk: string) => (text += chunk))
    stream.on('error', reject)
    stream.on('close', () => resolve({ ...answer, body: text }))
    if (!endStream) stream.end(body)
  })
}

const frame = (type: number, flags: number, id: number, payload: Buffer): Buffer => {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(id, 5)
  return Buffer.concat([head, payload])
}

/** A header block as no client would compress it: every name and value in full, whatever they are (RFC 7541 §6.2.2). */
export function block(pairs: readonly (readonly [string, string])[]): Buffer {
  return Buffer.concat(
    pairs.map(([name, value]) => Buffer.concat([Buffer.from([0]), text(name), text(value)])),
  )
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1')
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes])
  const length = [127]
  let rest = bytes.length - 127
  for (; rest >= 128; rest >>= 7) length.push((rest & 127) | 128)
  return Buffer.concat([Buffer.from([...length, rest]), bytes])
}

export const frames = {
  settings: frame(4, 0, 0, Buffer.alloc(0)),
  headers: (id: number, payload: Buffer, flags: number) => frame(1, flags, id, payload),
  continuation: (id: number, payload: Buffer, flags = 0) => frame(9, flags, id, payload),
  data: (id: number, payload: Buffer, flags = 1) => frame(0, flags, id, payload),
  reset: (id: number) => frame(3, 0, id, Buffer.from([0, 0, 0, 8])),
  ping: frame(6, 0, 0, Buffer.alloc(8)),
}
export const endStream = 1
export const endHeaders = 4

const preface = Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frames.settings])

/** A connection that agreed on HTTP/2, for frames as no library sends them. */
export async function rawSession(gateway: Gateway): Promise<tls.TLSSocket> {
  const socket = tls.connect({
    port: gateway.port,
    host: '127.0.0.1',
    ca: authority!.pem,
    ALPNProtocols: ['h2'],
  })
  socket.on('error', () => undefined)
  onTestFinished(() => void socket.destroy())
  await once(socket, 'secureConnect')
  socket.write(preface)
  return socket
}

/** What became of stream 1, as one word: its status where the head says it in one byte, or how the gateway refused it. */
export async function fate(socket: tls.TLSSocket): Promise<'reset' | 'goaway' | 'closed' | number> {
  const statuses: Record<number, number> = { 0x88: 200, 0x8c: 400, 0x8d: 404, 0x8e: 500 }
  let unread = Buffer.alloc(0)
  const closed = once(socket, 'close')
  for (;;) {
    const next = await Promise.race([once(socket, 'data'), closed])
    if (!Buffer.isBuffer(next[0])) return 'closed'
    unread = Buffer.concat([unread, next[0]])
    while (unread.length >= 9 && unread.length >= 9 + unread.readUIntBE(0, 3)) {
      const length = unread.readUIntBE(0, 3)
      const type = unread[3]
      const payload = unread.subarray(9, 9 + length)
      unread = unread.subarray(9 + length)
      if (type === 3) return 'reset'
      if (type === 7) return 'goaway'
      if (type === 1) return statuses[payload[0]!] ?? -1
    }
  }
}
