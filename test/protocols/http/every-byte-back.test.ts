import { expect, test } from 'vitest'
import { ok } from '../../support/upstream.ts'
import { behind, request } from './gateway.ts'

// Class 6: each byte that means something to some parser, and some of the others, at each place of an answer.

const rest = 'Content-Length: 4\r\n\r\nfine'

const places: Record<string, (byte: string) => string> = {
  'before the version': (byte) => `${byte}HTTP/1.1 200 OK\r\n${rest}`,
  'in the version': (byte) => `HTTP/1.${byte} 200 OK\r\n${rest}`,
  'before the status': (byte) => `HTTP/1.1${byte}200 OK\r\n${rest}`,
  'in the status': (byte) => `HTTP/1.1 2${byte}0 OK\r\n${rest}`,
  'behind the status': (byte) => `HTTP/1.1 200${byte}OK\r\n${rest}`,
  'in the reason': (byte) => `HTTP/1.1 200 O${byte}K\r\n${rest}`,
  'behind the reason': (byte) => `HTTP/1.1 200 OK${byte}\r\n${rest}`,
  'at the beginning of a line': (byte) => `HTTP/1.1 200 OK\r\n${byte}X-A: 1\r\n${rest}`,
  'in a name': (byte) => `HTTP/1.1 200 OK\r\nX-A${byte}B: 1\r\n${rest}`,
  'before the colon': (byte) => `HTTP/1.1 200 OK\r\nX-A${byte}: 1\r\n${rest}`,
  'at the beginning of a value': (byte) => `HTTP/1.1 200 OK\r\nX-A: ${byte}1\r\n${rest}`,
  'in a value': (byte) => `HTTP/1.1 200 OK\r\nX-A: 1${byte}2\r\n${rest}`,
  'at the end of a line': (byte) => `HTTP/1.1 200 OK\r\nX-A: 1\r${byte}\n${rest}`,
  'before the length': (byte) => `HTTP/1.1 200 OK\r\nContent-Length: ${byte}4\r\n\r\nfine`,
  'behind the length': (byte) => `HTTP/1.1 200 OK\r\nContent-Length: 4${byte}\r\n\r\nfine`,
  'in the name of the length': (byte) => `HTTP/1.1 200 OK\r\nContent${byte}Length: 4\r\n\r\nfine`,
  'in the coding': (byte) =>
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked${byte}\r\n\r\n4\r\nfine\r\n0\r\n\r\n`,
  'in the size of a chunk': (byte) =>
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n${byte}4\r\nfine\r\n0\r\n\r\n`,
  'behind the size of a chunk': (byte) =>
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4${byte}\r\nfine\r\n0\r\n\r\n`,
  'behind a chunk': (byte) =>
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nfine${byte}\r\n0\r\n\r\n`,
  'in a trailer': (byte) =>
    `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-t\r\n\r\n4\r\nfine\r\n0\r\nX-T: 1${byte}\r\n\r\n`,
  'behind it all': (byte) => `HTTP/1.1 200 OK\r\n${rest}${byte}`,
}

const controls = Array.from({ length: 33 }, (_, byte) => String.fromCharCode(byte))
const bytes = [
  ...controls,
  ...'!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~0149AFGZafgz\x7f\x80\x85\xa0\xc3\xff',
]

/** Nothing that has such a byte is an answer. */
const refusesAll = ['at the end of a line', 'behind the size of a chunk', 'behind a chunk']

/** What has no length then ends with its connection, whatever is in it. */
const withoutLength = ['in the name of the length', 'in the coding']

test.for(Object.entries(places))(
  'a byte %s: its agent gets one answer that says the same, a 502, or half of one; and what follows is the answer to its next request',
  async ([place, answer]) => {
    let odd = ''
    const { upstream, gateway } = await behind(({ line }) =>
      line.startsWith('GET /odd ') ? (socket) => void socket.end(odd, 'latin1') : ok('of the next'),
    )
    let passedOn = 0
    for (const byte of bytes) {
      odd = answer(byte)
      const before = upstream.requests.length
      const text = await gateway.raw(request('/crm/odd') + request('/crm/v1'), 2)
      const name = `0x${byte.charCodeAt(0).toString(16)}`
      // No request is sent again, whatever came back.
      expect(upstream.requests.length - before, name).toBe(2)

      const [head, body, next] = partsOf(text)
      expect(text.match(/HTTP\/1\.1 /g)?.length, name).toBe(next === null ? 1 : 2)
      if (next === null) continue
      expect(next, name).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*\r\n\r\nof the next$/)
      if (head.startsWith('HTTP/1.1 502 ')) {
        expect(JSON.parse(body), name).toMatchObject({ status: 502 })
        continue
      }
      passedOn++
      expect(head.match(/^sallyport-action: /gim), name).toHaveLength(1)
      if (!withoutLength.includes(place)) expect(body, name).toBe('fine')
      const value = /\r\nX-A: ([^\r]*)\r\n/.exec(odd)?.[1]
      if (value !== undefined)
        expect(head).toContain(`\r\nX-A: ${value.replace(/^[ \t]+|[ \t]+$/g, '')}\r\n`)
    }
    expect(passedOn, 'something is passed on, or this test sees nothing').toBeGreaterThan(
      refusesAll.includes(place) ? -1 : 0,
    )
  },
)

/** The first answer, its body without its framing, and what comes behind it; `null` if it is not whole. */
function partsOf(text: string): [head: string, body: string, next: string | null] {
  const end = text.indexOf('\r\n\r\n')
  const head = text.slice(0, end + 2)
  const rest = text.slice(end + 4)
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1]
  if (length !== undefined) {
    return [head, rest.slice(0, Number(length)), rest.slice(Number(length)) || null]
  }
  const chunked =
    /^((?:[1-9a-f][0-9a-f]*\r\n[^]*?\r\n)*?)0\r\n(?:[^\r\n]+\r\n)*\r\n(HTTP[^]*)$/.exec(rest)
  if (!chunked) return [head, rest, null]
  return [head, chunked[1]!.replace(/^[0-9a-f]+\r\n|\r\n$/g, ''), chunked[2]!]
}
