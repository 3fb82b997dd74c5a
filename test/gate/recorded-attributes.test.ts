import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { Unknown } from '../../src/core/action.ts'
import { recordedAttributes } from '../../src/gate/recorded-attributes.ts'

test('class 23: what is large in a request is on record by its size and its hash, and the rest as it is', () => {
  const json = { note: 'é'.repeat(500_000) }
  const http = { method: 'POST', path: '/v1/notes', query: { page: '2' }, json }
  const bytes = Buffer.from(JSON.stringify(json))
  expect(recordedAttributes({ http })).toEqual({
    http: {
      method: 'POST',
      path: '/v1/notes',
      query: { page: '2' },
      json: {
        unknown: 'too large to be kept on record',
        bytes: bytes.length,
        sha256: createHash('sha256').update(bytes).digest('hex'),
      },
    },
  })
})

test('what is not large is on record whole, and what is unknown says why', () => {
  const http = { path: '/v1', json: new Unknown('the body is not valid JSON'), query: {} }
  expect(recordedAttributes({ http })).toEqual({
    http: { path: '/v1', json: { unknown: 'the body is not valid JSON' }, query: {} },
  })
})

test('what many actions have in common is written once, and what may still change each time', () => {
  const shared = Object.freeze({ sql: Object.freeze({ tables: ['public.orders'] }) })
  expect(recordedAttributes(shared)).toEqual(shared)
  expect(recordedAttributes(shared)).toBe(recordedAttributes(shared))
  const own = { sql: { tables: ['public.orders'] } }
  expect(recordedAttributes(own)).toEqual(own)
  own.sql.tables.push('public.customers')
  expect(recordedAttributes(own)).toEqual(own)
})
