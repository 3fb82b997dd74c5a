import { describe, expect, test } from 'vitest'
import { compile, outcome } from '../support.ts'

describe('an allow rule', () => {
  const allows = (pattern: string, path: string): boolean => {
    const policies = compile(`
rules:
  - { name: r, on: crm, what: { http: { path: '${pattern}' } }, then: allow }
`)
    return outcome(policies, { http: { path } }) === 'allow by r'
  }

  test.each([
    ['/v1/orders', '/v1/orders'],
    ['/v1/customers/:id', '/v1/customers/c-1'],
    ['/v1/customers/*', '/v1/customers/c-1'],
    ['/v1/customers/:id/orders', '/v1/customers/c-1/orders'],
    ['/files/*.csv', '/files/2026.csv'],
    ['/files/report-*', '/files/report-7'],
    ['/v1/**', '/v1'],
    ['/v1/**', '/v1/'],
    ['/v1/**', '/v1/a/b/c'],
    ['/**', '/anything/at/all'],
    ['/a/**/z', '/a/z'],
    ['/a/**/z', '/a/b/c/z'],
    ['/', '/'],
    ['/a%20b', '/a%20b'],
  ])('%s covers %s', (pattern, path) => {
    expect(allows(pattern, path)).toBe(true)
  })

  test.each([
    ['/v1/orders', '/v1/orders/'],
    ['/v1/orders', '/v1/ORDERS'],
    ['/v1/orders', '/v1/order%73'],
    ['/v1/orders', '/v1//orders'],
    ['/v1/orders', '/v1/orders/1'],
    ['/v1/orders', '/v1/ordersx'],
    ['/v1/customers/:id', '/v1/customers/'],
    ['/v1/customers/:id', '/v1/customers'],
    ['/v1/customers/:id', '/v1/customers/c-1/orders'],
    ['/files/*.csv', '/files/a/b.csv'],
    ['/files/report-*', '/files/rep'],
    ['/v1/**', '/v10/a'],
    ['/a/**/z', '/a/zz'],
    ['/a/**/b/z', '/a/z'],
  ])('%s does not cover %s: the path is compared as it is forwarded (class 1)', (pattern, path) => {
    expect(allows(pattern, path)).toBe(false)
  })

  test('a dot in a pattern is a dot, and a bracket is a bracket', () => {
    expect(allows('/a.b', '/axb')).toBe(false)
    expect(allows('/a[bc]', '/ab')).toBe(false)
    expect(allows('/{a,b}', '/a')).toBe(false)
  })
})

describe('a deny rule', () => {
  const policies = compile(`
rules:
  - { name: all, on: crm, then: allow }
  - { name: no, on: crm, what: { http: { path: '/v1/Customers/:id/' } }, then: deny }
`)

  test.each([
    '/v1/customers/c-1',
    '/v1/customers/c-1/',
    '/V1/CUSTOMERS/c-1',
    '/v1//customers/c-1',
    '/v1/%63ustomers/c-1',
    '/v1/customers%2Fc-1',
    '/v1/customers/%2e%2e',
    '/v1/customers/%ff',
  ])('is not got around by %s (class 1)', (path) => {
    expect(outcome(policies, { http: { path } })).toBe('deny by no')
  })

  test('is not set off by another path', () => {
    expect(outcome(policies, { http: { path: '/v1/orders/c-1' } })).toBe('allow by all')
  })

  test('is set off by a path that is not known', () => {
    expect(outcome(policies, { http: {} })).toBe('deny by no')
  })
})
