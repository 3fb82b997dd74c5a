import { describe, expect, it } from 'vitest'
import { decide } from '../../src/policy/decide.ts'
import { action, compile, mistakesIn } from './support.ts'

/** What one rule makes of a GET of this path. */
function verdictOf(rule: string, path: string): string {
  const policies = compile(`rules:\n  - ${rule}`)
  const asked = action({ http: { method: 'GET', path } })
  return decide(asked, {}, policies).verdict
}

describe('params, the `:name` segments of the paths of a rule', () => {
  const allow = `{ name: own, on: crm, what: { http: { path: '/v1/tenants/:tenant/orders/:id' } }, when: params.tenant == 'acme' && params.id != 'o-1', then: allow }`

  it('can be used in its condition', () => {
    expect(verdictOf(allow, '/v1/tenants/acme/orders/o-2')).toBe('allow')
    expect(verdictOf(allow, '/v1/tenants/other/orders/o-2')).toBe('deny')
    expect(verdictOf(allow, '/v1/tenants/acme/orders/o-1')).toBe('deny')
  })

  it('are decoded, so that spelling a value another way is no way around a rule', () => {
    const mail = `{ name: mail, on: crm, what: { http: { path: '/v1/people/:mail' } }, when: "params.mail == 'a@x'", then: deny, reason: MAIL }`
    const policies = compile(
      `rules:\n  - ${mail}\n  - { name: rest, on: crm, what: { http: { path: '/v1/**' } }, then: allow }`,
    )
    const ask = (path: string) => decide(action({ http: { method: 'GET', path } }), {}, policies)
    for (const path of ['/v1/people/a@x', '/v1/people/a%40x', '/V1//People/a%40x/']) {
      expect(ask(path).verdict, path).toBe('deny')
    }
    expect(ask('/v1/people/b@x').verdict).toBe('allow')
  })

  it('count from the end behind `**`', () => {
    const rule = `{ name: deep, on: crm, what: { http: { path: '/v1/:area/**/files/:file' } }, when: params.area == 'a' && params.file == 'f', then: allow }`
    expect(verdictOf(rule, '/v1/a/b/c/d/files/f')).toBe('allow')
    expect(verdictOf(rule, '/v1/a/files/f')).toBe('allow')
    expect(verdictOf(rule, '/v1/a/b/files/g')).toBe('deny')
  })

  it('where several paths of the rule fit: all that they stand for may be, or any of it may not', () => {
    const paths = `path: ['/v1/:id/**', '/v1/**/:id']`
    const both = (when: string, then: string) =>
      `{ name: both, on: crm, what: { http: { ${paths} } }, when: "${when}", then: ${then} }`
    const open = both(`params.id == 'a'`, 'allow')
    expect(verdictOf(open, '/v1/a/x/a')).toBe('allow')
    expect(verdictOf(open, '/v1/a/x/b')).toBe('deny')
    expect(verdictOf(open, '/v1/b/x/a')).toBe('deny')
    const closed = both(`params.id == 'secret'`, 'deny')
    const policies = compile(
      `rules:\n  - ${closed}\n  - { name: rest, on: crm, what: { http: { path: '/v1/**' } }, then: allow }`,
    )
    const ask = (path: string) => decide(action({ http: { method: 'GET', path } }), {}, policies)
    expect(ask('/v1/x/secret').verdict).toBe('deny')
    expect(ask('/v1/secret/x').verdict).toBe('deny')
    expect(ask('/v1/x/y').verdict).toBe('allow')
  })

  it('are those that every path of the rule has; another one is a mistake at load', () => {
    const rule = (when: string) =>
      `rules:\n  - { name: r, on: crm, what: { http: { path: ['/v1/a/:id', '/v1/b/:id/:part'] } }, when: ${when}, then: allow }`
    expect(mistakesIn(rule(`params.id == 'x'`))).toBe('no mistakes')
    expect(mistakesIn(rule(`params.part == 'x'`))).toContain('There is no `params.part` here.')
    expect(mistakesIn(rule(`size(params) > 0`))).toContain('`params` cannot be used as a whole.')
    expect(
      mistakesIn(`rules:\n  - { name: r, on: crm, when: params.id == 'x', then: allow }`),
    ).toContain('There is no `params.id` here.')
  })
})
