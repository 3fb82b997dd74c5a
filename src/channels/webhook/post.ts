import { request, type IncomingMessage } from 'node:http'
import { isIP, type Socket } from 'node:net'
import { dial, dialTls } from '../../core/dial.ts'
import { DeliveryError } from '../../gate/channel.ts'

export interface Posted {
  readonly status: number
  readonly retryAfter: string | undefined
}

/**
 * POSTs once, on a connection of its own, and follows no redirect. The address is resolved once, and checked where it is dialled. What is answered beyond the status is not
 * read. Rejects with `DeliveryError` when nobody answers, or with the reason of `signal`.
 */
export function post(
  url: URL,
  headers: Readonly<Record<string, string>>,
  body: string,
  signal: AbortSignal,
): Promise<Posted> {
  const { host, pathname, search } = url
  const options = {
    method: 'POST',
    path: `${pathname}${search}`,
    headers: { ...headers, host, 'content-length': String(Buffer.byteLength(body)) },
    signal,
    createConnection: () => connectionTo(url),
  }
  return new Promise((resolve, reject) => {
    const sent = request(options, (response: IncomingMessage) => {
      const { statusCode = 0, headers: answered } = response
      response.destroy()
      resolve({ status: statusCode, retryAfter: answered['retry-after'] })
    })
    sent.on('error', (error: NodeJS.ErrnoException) => {
      reject(new DeliveryError(wordsFor(error, signal), { cause: error }))
    })
    sent.end(body)
  })
}

function connectionTo({ protocol, hostname, port }: URL): Socket {
  const host = hostname.replace(/^\[|\]$/g, '')
  if (protocol === 'http:') return dial({ host, port: Number(port) || 80 })
  return dialTls(
    { host, port: Number(port) || 443 },
    { host, ...(!isIP(host) && { servername: host }), ALPNProtocols: ['http/1.1'] },
  )
}

/** Codes of the system, and nothing of what the other side wrote. */
function wordsFor({ code = '' }: NodeJS.ErrnoException, signal: AbortSignal): string {
  if (signal.aborted) return 'It did not answer in time'
  if (code === 'ERR_IP_BLOCKED') return 'It has an address that no webhook may have'
  if (/CERT|TLS|SSL|SIGNATURE|ISSUER/.test(code)) return `It cannot prove who it is (${code})`
  return `It cannot be reached${code ? ` (${code})` : ''}`
}
