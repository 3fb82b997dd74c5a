import { expect, test } from 'vitest'
import { ok, type Received } from '../../support/upstream.ts'
import { behind, statusOf } from './gateway.ts'

// Classes 1, 2 and 5, by exhaustion: each of the 256 bytes, at each place of a head.

const places: Record<string, (byte: string) => string> = {
  'before the method': (byte) => `${byte}POST /crm/v1 HTTP/1.1\r\n`,
  'in the method': (byte) => `PO${byte}ST /crm/v1 HTTP/1.1\r\n`,
  'behind the method': (byte) => `POST${byte}/crm/v1 HTTP/1.1\r\n`,
  'before the target': (byte) => `POST ${byte}/crm/v1 HTTP/1.1\r\n`,
  'in the prefix': (byte) => `POST /cr${byte}m/v1 HTTP/1.1\r\n`,
  'in the path': (byte) => `POST /crm/v${byte}1 HTTP/1.1\r\n`,
  'between two slashes': (byte) => `POST /crm/${byte}/v1 HTTP/1.1\r\n`,
  'in the query': (byte) => `POST /crm/v1?a=${byte}b HTTP/1.1\r\n`,
  'behind the target': (byte) => `POST /crm/v1${byte}HTTP/1.1\r\n`,
  'in the version': (byte) => `POST /crm/v1 HTTP/1.${byte}\r\n`,
  'behind the version': (byte) => `POST /crm/v1 HTTP/1.1${byte}\r\n`,
  'at the beginning of a line': (byte) => `POST /crm/v1 HTTP/1.1\r\n${byte}x-a: 1\r\n`,
  'in a name': (byte) => `POST /crm/v1 HTTP/1.1\r\nx-a${byte}b: 1\r\n`,
  'before the colon': (byte) => `POST /crm/v1 HTTP/1.1\r\nx-a${byte}: 1\r\n`,
  'instead of the colon': (byte) => `POST /crm/v1 HTTP/1.1\r\nx-a${byte} 1\r\n`,
  'at the beginning of a value': (byte) => `POST /crm/v1 HTTP/1.1\r\nx-a: ${byte}1\r\n`,
  'in a value': (byte) => `POST /crm/v1 HTTP/1.1\r\nx-a: 1${byte}2\r\n`,
  'at the end of a value': (byte) => `POST /crm/v1 HTTP/1.1\r\nx-a: 1${byte}\r\n`,
  'in the end of a line': (byte) => `POST /crm/v1 HTTP/1.1\r\nx-a: 1\r${byte}\nx-b: 2\r\n`,
  'in the name that frames': (byte) =>
    `POST /crm/v1 HTTP/1.1\r\ntransfer-encoding${byte}: chunked\r\n`,
  'in the value that frames': (byte) =>
    `POST /crm/v1 HTTP/1.1\r\ntransfer-encoding: ${byte}chunked\r\n`,
  'behind the value that frames': (byte) =>
    `POST /crm/v1 HTTP/1.1\r\ntransfer-encoding: chunked${byte}\r\n`,
  'in the credential': (byte) => `POST /crm/v1 HTTP/1.1\r\nx-api${byte}key: spoofed\r\n`,
}

const bytes = Array.from({ length: 256 }, (_, byte) => String.fromCharCode(byte))

/** What a body is if it is taken for chunks, and if it is taken for as many bytes: in either case, nothing is left over. */
const body = '0\r\n\r\n'
const rest = `Host: gateway\r\nAuthorization: Bearer alice\r\nConnection: close\r\nContent-Length: ${body.length}\r\n\r\n${body}`

/** Lines of a head that say nothing but what the gateway itself sets. */
const own = /^(?:host|traceparent|x-api-key|content-length|transfer-encoding): /

test.for(Object.entries(places))(
  'a byte %s: what arrives is what was sent, and decided about, or nothing arrives',
  async ([, head]) => {
    const credential = { header: 'X-Api-Key', value: 'the-real-key' }
    const { upstream, gateway } = await behind(() => ok(''), { credential })
    for (const byte of bytes) {
      const [before, decided] = [upstream.requests.length, gateway.gate.attempts.length]
      const sent = head(byte)
      const answer = await gateway.raw(sent + rest, 9)
      const arrived = upstream.requests.slice(before)
      const attempts = gateway.gate.attempts.slice(decided)
      const name = `0x${byte.charCodeAt(0).toString(16)}`
      expect(arrived.length, name).toBe(attempts.length)
      if (arrived.length === 0) {
        expect([400, 404], name).toContain(statusOf(answer))
        continue
      }
      expect(statusOf(answer), name).toBe(200)
      expect(arrived, name).toHaveLength(1)
      expect(meaningOf(arrived[0]!), name).toEqual(meaningOfSent(sent))
      expect(arrived[0]!.headers.filter((line) => /^x-api[^a-z0-9]?key:/i.test(line))).toEqual([
        'x-api-key: the-real-key',
      ])
      expect(arrived[0]!.line.startsWith(attempts[0]!.action.summary), name).toBe(true)
    }
    // Whatever came before, the connections are whole.
    for (const raw of upstream.connections) expect(raw.toString('latin1')).toMatch(/\r\n\r\n/)
  },
)

function meaningOf({ line, headers, body: sent }: Received) {
  return { line, headers: headers.filter((one) => !own.test(one)), body: sent }
}

/** Empty lines before a request, and more than one blank in its first line, mean nothing (RFC 9112 §2.2, §3). Names in lower case, values without the blanks around them (RFC 9112 §5.1), and without what the gateway keeps to itself. */
function meaningOfSent(head: string) {
  const [line, ...lines] = head.split('\r\n').slice(0, -1)
  const headers = lines
    .map((one) => {
      const [, name = '', value = ''] = /^([^:]*):[ \t]*(.*?)[ \t]*$/s.exec(one) ?? []
      return `${name.toLowerCase()}: ${value}`
    })
    .filter((one) => !own.test(one))
  const first = line!.trimStart().replace(/ +/g, ' ').replace('/crm', '')
  return { line: first.replace(/HTTP\/1\..$/, 'HTTP/1.1'), headers, body }
}
