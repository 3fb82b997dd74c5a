import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkTarget } from '../../../src/protocols/http/strict/strict-target.ts'
import { behind, problemIn, request, statusOf } from './gateway.ts'

// Class 1: a path that policy and upstream see differently (OPA-Envoy CVE-2026-26205, http-proxy CVE-2026-16117).

const refused: Record<string, string> = {
  'a dot segment': '/crm/v1/../admin',
  'a dot segment at the end': '/crm/v1/..',
  'a single dot': '/crm/./v1',
  'encoded dots': '/crm/v1/%2e%2e/admin',
  'half encoded dots': '/crm/v1/.%2E/admin',
  'an encoded slash': '/crm/v1%2fadmin',
  'an encoded slash in upper case': '/crm/v1%2Fadmin',
  'an encoded backslash': '/crm/v1%5c..%5cadmin',
  'a backslash': '/crm/v1\\..\\admin',
  'a doubled slash': '/crm//v1',
  'a doubled slash at the start': '//evil.test/crm/v1',
  'a path parameter': '/crm/v1;x=1/admin',
  'an encoded path parameter': '/crm/v1%3Bx=1',
  'a NUL': '/crm/v1%00.json',
  'a line break': '/crm/v1%0d%0aX-User:%20root',
  'a delete character': '/crm/v1%7f',
  'an encoded letter': '/crm/%61dmin',
  'an encoded prefix': '/%63rm/v1',
  'an encoded digit': '/crm/v%31',
  'an encoded tilde': '/crm/%7Eroot',
  'a doubly encoded slash': '/crm/v1%252fadmin',
  'a fragment': '/crm/v1#/admin',
  'a percent sign alone': '/crm/100%',
  'half a percent-encoding': '/crm/%2',
  'percent-encoding of no digit': '/crm/%zz',
  'an overlong encoding of a slash': '/crm/v1%c0%afadmin',
  'bytes that are not UTF-8': '/crm/%ff',
  'a surrogate in UTF-8': '/crm/%ed%a0%80',
  'a letter outside ASCII': '/crm/caf\xe9',
  'a curly brace': '/crm/{id}',
  'a quotation mark': '/crm/"v1"',
  'a caret': '/crm/a^b',
  'a blank': '/crm/a b',
  'a NUL in the query': '/crm/v1?x=%00',
  'a quotation mark in the query': '/crm/v1?x="y"',
  'a backslash in the query': '/crm/v1?x=\\',
  'a broken percent-encoding in the query': '/crm/v1?x=%',
  'a fragment behind the query': '/crm/v1?x=1#y',
  'more than 8192 characters': `/crm/${'a'.repeat(8192)}`,
  'an asterisk': '*',
}

describe('refused with 400, and the upstream sees nothing', () => {
  test.for(Object.entries(refused))('%s', async ([, target]) => {
    const { upstream, gateway } = await behind()
    const answer = await gateway.raw(request(target))
    expect(statusOf(answer)).toBe(400)
    expect(problemIn(answer).type).toMatch(/\/(ambiguous|bad)-request$/)
    expect(upstream.connections).toEqual([])
    expect(gateway.gate.attempts).toEqual([])
  })
})

const accepted = [
  '/crm',
  '/crm/',
  '/crm/v1/customers',
  '/crm/v1/customers/',
  '/crm/v1/...',
  '/crm/v1/.well-known',
  '/crm/v1/a..b',
  '/crm/v1/users/%40me',
  '/crm/v1/users/@me:reset',
  "/crm/v1/odata('x')",
  '/crm/v1/C%23',
  '/crm/v1/a%20b',
  '/crm/v1/caf%C3%A9',
  '/crm/v1/caf%c3%a9',
  '/crm/v1/100%25',
  '/crm/V1/Admin',
  '/crm/v1?',
  '/crm/v1?path=..%2Fetc%2f&q=a+b&list[]=1&list[]=2&f={x|y}^`',
  '/crm/v1??//../?',
]

test('what passes is, byte for byte, what policy matched and what the upstream gets', async () => {
  const { upstream, gateway } = await behind()
  for (const target of accepted) {
    expect(statusOf(await gateway.raw(request(target))), target).toBe(200)
    const below = target.slice('/crm'.length)
    const sent = below.startsWith('/') ? below : `/${below}`
    expect(upstream.requests.at(-1)!.line).toBe(`GET ${sent} HTTP/1.1`)
    expect(gateway.gate.attempts.at(-1)!.action.attributes['http']).toMatchObject({
      path: sent.split('?')[0],
    })
  }
})

// What attackers put together, besides plain letters.
const pieces = fc.constantFrom(
  ...[
    '/',
    '.',
    '..',
    '//',
    ';',
    '\\',
    '%',
    '%2e',
    '%2E',
    '%2f',
    '%5C',
    '%00',
    '%25',
    '%252e',
    '%c0%ae',
    '%C3%A9',
    '%40',
  ],
  ...['?', '#', '@', ':', '&', '=', '+', 'a', 'B', '1', '~', '*', '[', '|', '\x7f', '\xe9'],
)
const targets = fc.array(pieces, { maxLength: 12 }).map((parts) => `/crm/${parts.join('')}`)

test('no target that passes means another path to a URL parser', () => {
  fc.assert(
    fc.property(targets, (target) => {
      let path: string
      try {
        path = checkTarget(target).path
      } catch {
        return
      }
      expect(new URL(`http://upstream${target}`).pathname).toBe(path)
      expect(new URL(path, 'http://upstream/base/').pathname).toBe(path)
      const decoded = decodeURIComponent(path)
      expect(decoded.split('/')).toHaveLength(path.split('/').length)
      expect(decoded).not.toMatch(/[\\;]|\p{Cc}|\/\.{1,2}(\/|$)|\/\//u)
    }),
    { numRuns: 3000 },
  )
})

test('whatever is sent: either the upstream gets the matched bytes, or nothing', async () => {
  const { upstream, gateway } = await behind()
  await fc.assert(
    fc.asyncProperty(targets, async (target) => {
      const [before, decided] = [upstream.requests.length, gateway.gate.attempts.length]
      const answer = await gateway.raw(request(target))
      if (statusOf(answer) === 400) {
        expect(upstream.requests).toHaveLength(before)
        expect(gateway.gate.attempts).toHaveLength(decided)
      } else {
        expect(upstream.requests.at(-1)!.line).toBe(`GET ${target.slice('/crm'.length)} HTTP/1.1`)
      }
    }),
    { numRuns: 150 },
  )
})

test('the case of a path is kept, and means another path', async () => {
  const { upstream, gateway } = await behind(undefined, { read: ['GET /v1/*'] })
  await gateway.raw(request('/crm/V1/x'))
  expect(upstream.requests[0]!.line).toBe('GET /V1/x HTTP/1.1')
  expect(gateway.gate.attempts[0]!.action.effect).toBe('unknown')
  expect(statusOf(await gateway.raw(request('/CRM/v1/x')))).toBe(404)
})
