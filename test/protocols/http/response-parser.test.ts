import fc from 'fast-check'
import { expect, onTestFinished, test } from 'vitest'
import {
  ResponseError,
  ResponseParser,
} from '../../../src/protocols/http/upstream/response-parser.ts'

/** Everything that the parser says about these pieces, in order. */
function read(method: string, pieces: readonly Buffer[], ended = true): string[] {
  const said: string[] = []
  const parser = new ResponseParser({
    begin: () => said.push('begin'),
    head: ({ status, headers, keepAlive }) =>
      said.push(`head ${status} ${headers.join('|')} ${keepAlive}`),
    body: (bytes) => {
      const before = said.at(-1)?.startsWith('body ') ? said.pop()! : 'body '
      said.push(before + bytes.toString('latin1'))
    },
    end: (trailers) => said.push(`end ${trailers.join('|')}`),
  })
  onTestFinished(() => parser.close())
  parser.expect(method)
  try {
    for (const piece of pieces) parser.execute(piece)
    if (ended) parser.finish()
  } catch (error) {
    expect(error).toBeInstanceOf(ResponseError)
    said.push('error')
  }
  return said
}

const text = fc.stringMatching(/^[\x20-\x7e]{0,40}$/)
const interim = fc.constantFrom('', 'HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n')
const manyHeaders = Array.from({ length: 40 }, (_, i) => `X-${i}: ${i}\r\n`).join('')
const headers = fc.constantFrom('', 'X-A: b\r\n', manyHeaders)
const answer = fc
  .tuple(interim, headers, text, fc.constantFrom('length', 'chunked', 'trailers', 'end'))
  .map(([before, extra, body, framing]) => {
    const start = `${before}HTTP/1.1 200 OK\r\n${extra}`
    if (framing === 'end') return `${start}\r\n${body}`
    if (framing === 'length') return `${start}Content-Length: ${body.length}\r\n\r\n${body}`
    const chunk = body === '' ? '' : `${body.length.toString(16)}\r\n${body}\r\n`
    const trailers = framing === 'trailers' ? 'X-T: 1\r\n' : ''
    return `${start}Transfer-Encoding: chunked\r\n\r\n${chunk}0\r\n${trailers}\r\n`
  })

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...new Set(places.map((place) => place % (bytes.length + 1)))].toSorted(
    (a, b) => a - b,
  )
  return [...ends, bytes.length].map((end, i) => bytes.subarray(i === 0 ? 0 : ends[i - 1], end))
}

test('however an answer is cut into packets, it says the same', () => {
  fc.assert(
    fc.property(answer, fc.array(fc.nat(500), { maxLength: 6 }), (bytes, places) => {
      const whole = Buffer.from(bytes, 'latin1')
      const said = read('GET', [whole])
      expect(said).not.toContain('error')
      expect(said.at(-1)).toMatch(/^end/)
      expect(read('GET', cut(whole, places))).toEqual(said)
    }),
    { numRuns: 300 },
  )
})

test('what an answer said stays as it is when its bytes are written over by the next one', () => {
  const memory = Buffer.from('HTTP/1.1 200 OK\r\nX: mine\r\nContent-Length: 4\r\n\r\nmine')
  const bodies: Buffer[] = []
  const heads: (readonly string[])[] = []
  const parser = new ResponseParser({
    begin: () => undefined,
    head: ({ headers }) => heads.push(headers),
    body: (bytes) => bodies.push(bytes),
    end: () => undefined,
  })
  onTestFinished(() => parser.close())
  parser.expect('GET')
  parser.execute(memory)
  memory.fill('theirs')
  expect(bodies.join('')).toBe('mine')
  expect(heads).toEqual([['X', 'mine', 'Content-Length', '4']])
})

test('whatever a byte becomes: the parser reads it or refuses it, and nothing else', () => {
  fc.assert(
    fc.property(answer, fc.nat(), fc.nat(255), fc.nat(), (bytes, at, value, size) => {
      const mutated = Buffer.from(bytes, 'latin1')
      mutated[at % mutated.length] = value
      const said = read('GET', [mutated.subarray(0, (size % mutated.length) + 1)])
      for (const [i, event] of said.entries()) {
        if (event.startsWith('body')) expect(said[i - 1]).toMatch(/^head/)
      }
    }),
    { numRuns: 500 },
  )
})

test('a second answer begins visibly, even with its first byte', () => {
  const first = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok'
  for (const more of ['H', 'HTTP/1.1 200 OK\r\n', first]) {
    const said = read('GET', [Buffer.from(first + more)], false)
    expect(said.filter((event) => event === 'begin')).toHaveLength(2)
  }
  expect(read('GET', [Buffer.from(`${first}x`)], false).at(-1)).toBe('error')
})
