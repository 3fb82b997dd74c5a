import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../src/core/json.ts'
import type { ShownSubject } from '../../src/console/ui/api/types.ts'
import { actorAndPerson, delegation } from '../../src/console/ui/state/delegation.ts'
import { offeredGrants } from '../../src/console/ui/state/grant.ts'
import { takeApart } from '../../src/console/ui/state/payload.ts'
import { approval } from './approvals.ts'

const issuer = 'https://idp.example.com'

describe('who is behind an action', () => {
  const path = (subject: Partial<ShownSubject>) =>
    delegation({ ...approval().action.subject, ...subject }, 'crm').map(
      ({ role, name }) => `${role} ${name}`,
    )

  test('an agent of its own, and its owner', () => {
    expect(path({})).toEqual(['person priya', 'agent support-agent', 'resource crm'])
  })
  test('an agent that a group owns', () => {
    expect(path({ owner: { group: 'support' } })[0]).toBe('group support')
  })
  test('an agent that nobody is known to own', () => {
    expect(path({ owner: null })[0]).toBe('nobody nobody known')
  })
  test('a person who acts alone', () => {
    expect(path({ kind: 'human', subject: 'omar', owner: null })).toEqual([
      'person omar',
      'resource crm',
    ])
  })
  test('a person, and the agents that act for them: the current one is next to the resource', () => {
    const chain = [
      { issuer, subject: 'now' },
      { issuer, subject: 'before' },
    ]
    expect(path({ subject: 'omar', chain })).toEqual([
      'person omar',
      'agent before',
      'agent now',
      'resource crm',
    ])
  })
  test('in one line', () => {
    const { subject } = approval().action
    expect(actorAndPerson(subject)).toEqual({ actor: 'support-agent', person: 'priya' })
    expect(actorAndPerson({ ...subject, owner: null }).person).toBeNull()
    expect(actorAndPerson({ ...subject, kind: 'human', subject: 'omar', owner: null })).toEqual({
      actor: 'omar',
      person: null,
    })
  })
})

describe('what would be sent', () => {
  const http: JsonObject = {
    method: 'POST',
    target: '/v1/refunds?x=1',
    headers: [
      { name: 'accept', value: '*/*' },
      { name: 'x-api-key', masked: true },
    ],
    body: { bytes: 2, media_type: 'application/json', text: '{}', json: {} },
  }

  test('a request comes in its pieces', () => {
    const { request, headers, body, rest } = takeApart(http)
    expect(request).toEqual({ method: 'POST', target: '/v1/refunds?x=1' })
    expect(headers).toEqual([
      { name: 'accept', value: '*/*' },
      { name: 'x-api-key', value: null },
    ])
    expect(body).toMatchObject({ text: '{}', mediaType: 'application/json' })
    expect(body!.bytes).toHaveLength(2)
    expect(rest).toBeNull()
  })

  test('a body that is no text comes in bytes', () => {
    const { body } = takeApart({ ...http, body: { base64: '/wA=', bytes: 2, media_type: null } })
    expect(body).toEqual({ text: null, bytes: Uint8Array.of(0xff, 0), mediaType: null })
  })

  test('a statement comes with the prepared ones that it stands for', () => {
    const prepared = [{ name: 'a', text: 'delete from orders' }]
    expect(takeApart({ text: 'execute a', database: 'orders', prepared })).toMatchObject({
      sql: [
        { name: null, text: 'execute a' },
        { name: 'a', text: 'delete from orders' },
      ],
      rest: { database: 'orders' },
    })
  })

  test('bytes that cannot be read stop the page, which then has no buttons', () => {
    expect(() => takeApart({ ...http, body: { base64: '%%' } })).toThrow()
  })

  test.each<[string, JsonObject, JsonObject]>([
    ['a member that nobody knows', { ...http, trailers: [['a', 'b']] }, { trailers: [['a', 'b']] }],
    ['headers in another form', { ...http, headers: { a: 'b' } }, { headers: { a: 'b' } }],
    [
      'a header with more to it',
      { ...http, headers: [{ name: 'a', value: 'b', raw: 'c' }] },
      { headers: [{ name: 'a', value: 'b', raw: 'c' }] },
    ],
    [
      'a masked header with a value',
      { ...http, headers: [{ name: 'a', value: 'b', masked: true }] },
      { headers: [{ name: 'a', value: 'b', masked: true }] },
    ],
    ['a body in another form', { ...http, body: 'text' }, { body: 'text' }],
    [
      'a member of the body that nobody knows',
      { ...http, body: { text: 'a', encoding: 'gzip' } },
      { body: { encoding: 'gzip' } },
    ],
    ['another protocol', { tool: 'search', arguments: [1] }, { tool: 'search', arguments: [1] }],
    [
      'what a statement comes with',
      { text: 'select $1', database: 'orders', values: ['1'] },
      { database: 'orders', values: ['1'] },
    ],
    [
      'a prepared statement with more to it',
      { text: 'execute a', database: 'orders', prepared: [{ name: 'a', text: 'b', more: 1 }] },
      { text: 'execute a', database: 'orders', prepared: [{ name: 'a', text: 'b', more: 1 }] },
    ],
    ['half a request line', { method: 'GET' }, { method: 'GET' }],
  ])('class 24: %s is shown as it is, not left out', (_, payload, rest) => {
    expect(takeApart(payload).rest).toEqual(rest)
  })
})

describe('what may be granted beyond one run', () => {
  test('nothing, unless the rules say so', () => {
    expect(offeredGrants(approval())).toEqual([])
  })
  test('the same request for some minutes', () => {
    const it = approval({ scope_options: ['once', { minutes: 15, match: [] }] })
    expect(offeredGrants(it)).toEqual([{ session: false, minutes: 15, same: [] }])
  })
  test('for some minutes, or for the session that asks', () => {
    const session = { session: true, minutes: 720, match: [] } as const
    const it = approval({ scope_options: ['once', { minutes: 15, match: [] }, session] })
    expect(offeredGrants(it)).toEqual([
      { session: false, minutes: 15, same: [] },
      { session: true, minutes: 720, same: [] },
    ])
  })
  test('whatever is alike, with the values that have to be the same', () => {
    const match = ['http.path', 'http.query', 'http.gone']
    const it = approval({ scope_options: ['once', { minutes: 5, match }] })
    expect(offeredGrants(it)[0]!.same).toEqual([
      { name: 'http.path', value: '/v1/customers/42' },
      { name: 'http.query', value: '{"hard":"yes"}' },
      { name: 'http.gone', value: 'null' },
    ])
  })
})
