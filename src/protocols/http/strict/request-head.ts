import { ambiguous } from './ambiguous.ts'
import { Http2Message, type Http1Message } from '../client.ts'
import type { RequestHead } from './strict-request.ts'

/**
 * The head of a request in terms of HTTP/1.1, which upstreams get. Throws `ambiguous-request` for
 * an HTTP/2 head that has more than one form in HTTP/1.1.
 */
export function requestHead(message: Http1Message | Http2Message): RequestHead {
  if (message instanceof Http2Message) return headOfHttp2(message)
  const { httpVersion, method = '', url = '', rawHeaders } = message
  return { httpVersion, method, target: url, rawHeaders, alone: false }
}

/**
 * Connection-specific headers make an HTTP/2 request malformed (RFC 9113 §8.2.2). The parser
 * refuses them too, and the framing of our own request relies on that.
 */
const forbidden: ReadonlySet<string> = new Set([
  'connection',
  'http2-settings',
  'keep-alive',
  'proxy-connection',
  'transfer-encoding',
  'upgrade',
])

/**
 * Pseudo-headers become the request line and Host (RFC 9113 §8.3.1). The parser has dropped every
 * header with a line break or a NUL in it.
 */
function headOfHttp2({ rawHeaders, stream }: Http2Message): RequestHead {
  const pseudo = new Map<string, string>()
  const headers: string[] = []
  const cookies: string[] = []
  const hosts: string[] = []
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!
    const value = rawHeaders[i + 1]!
    if (forbidden.has(name)) throw ambiguous(`HTTP/2 has no header ${name}.`)
    if (name.startsWith(':')) {
      if (pseudo.has(name)) throw ambiguous(`The pseudo-header ${name} is there more than once.`)
      pseudo.set(name, value)
    } else if (name === 'host') hosts.push(value)
    // Cookies may come in pieces, which have to be joined again (§8.2.3). Any other repeated header
    // is refused later.
    else if (name === 'cookie') cookies.push(value)
    else headers.push(name, value)
  }
  if (cookies.length > 0) headers.push('cookie', cookies.join('; '))
  const authority = pseudo.get(':authority')
  if (authority !== undefined && hosts.some((host) => host !== authority)) {
    throw ambiguous('Host and :authority differ.')
  }
  const [host = authority] = hosts
  if (hosts.length > 1) throw ambiguous('The header host is there more than once.')
  if (pseudo.get(':scheme') !== 'https') throw ambiguous('The scheme here is https.')
  return {
    httpVersion: '2.0',
    method: pseudo.get(':method') ?? '',
    target: pseudo.get(':path') ?? '',
    rawHeaders: host === undefined ? headers : ['host', host, ...headers],
    alone: stream.endAfterHeaders,
  }
}
