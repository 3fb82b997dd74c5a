import { request, type IncomingMessage } from 'node:http'
import { isIP, type Socket } from 'node:net'
import { dial, dialTls } from './dial.ts'

export interface Outgoing {
  readonly method: 'POST' | 'PUT'
  readonly url: URL
  /** Without `host` and `content-length`. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Buffer
  /** PEM: the certificate authorities to trust, if not the usual ones. */
  readonly ca?: Buffer | undefined
}

export interface Answer {
  readonly status: number
  /** Milliseconds for which the other side asks for no more requests, an hour at most. */
  readonly retryAfterMs: number | undefined
  /** The first bytes of the answer's body, up to `most`. */
  readonly beginning: Buffer
}

/** There was no answer. The message is for people, and repeats nothing that the other side sent. */
export class NotSent extends Error {
  constructor(message: string, options: ErrorOptions) {
    super(message, options)
    this.name = 'NotSent'
  }
}

/**
 * Sends a request once, on a connection of its own, and follows no redirect. The address is
 * resolved once, and checked when it is dialled. Reads no more than `most` bytes of the answer.
 * Rejects with `NotSent` when there is no answer, or when `signal` aborts.
 */
export function sendOnce(
  { method, url, headers, body, ca }: Outgoing,
  signal: AbortSignal,
  most = 0,
): Promise<Answer> {
  const { host, pathname, search } = url
  const options = {
    method,
    path: `${pathname}${search}`,
    headers: { ...headers, host, 'content-length': String(Buffer.byteLength(body)) },
    signal,
    createConnection: () => connectionTo(url, ca),
  }
  return new Promise((resolve, reject) => {
    const failed = (error: NodeJS.ErrnoException) =>
      reject(new NotSent(wordsFor(error, signal), { cause: error }))
    const sent = request(options, (response: IncomingMessage) => {
      const { statusCode: status = 0, headers: answered } = response
      readSome(response, most).then((beginning) => {
        resolve({ status, retryAfterMs: retryAfterOf(answered['retry-after']), beginning })
      }, failed)
    })
    sent.on('error', failed)
    sent.end(body)
  })
}

async function readSome(response: IncomingMessage, most: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let length = 0
  try {
    if (most > 0)
      for await (const chunk of response as AsyncIterable<Buffer>) {
        chunks.push(chunk)
        length += chunk.length
        if (length >= most) break
      }
  } finally {
    response.destroy()
  }
  return Buffer.concat(chunks).subarray(0, most)
}

function connectionTo({ protocol, hostname, port }: URL, ca: Buffer | undefined): Socket {
  const host = hostname.replace(/^\[|\]$/g, '')
  if (protocol === 'http:') return dial({ host, port: Number(port) || 80 })
  return dialTls(
    { host, port: Number(port) || 443 },
    { host, ...(!isIP(host) && { servername: host }), ALPNProtocols: ['http/1.1'], ca },
  )
}

/** The longest pause that is granted, in milliseconds. */
const longestPause = 3_600_000

/** Retry-After in milliseconds. It may be written in seconds or as a date (RFC 9110 §10.2.3). */
function retryAfterOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const ms = /^\d+$/.test(text) ? Number(text) * 1000 : Date.parse(text) - Date.now()
  return Number.isFinite(ms) ? Math.min(Math.max(ms, 0), longestPause) : undefined
}

/** Words for an error: the system's code, and nothing that the other side sent. */
function wordsFor({ code = '' }: NodeJS.ErrnoException, signal: AbortSignal): string {
  if (signal.aborted) return 'It did not answer in time'
  if (code === 'ERR_IP_BLOCKED') return 'It has an address that nothing is sent to'
  if (/CERT|TLS|SSL|SIGNATURE|ISSUER/.test(code)) return `It cannot prove who it is (${code})`
  return `It cannot be reached${code ? ` (${code})` : ''}`
}
