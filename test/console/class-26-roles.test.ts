import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'

/** What is made of the log is for those who may read the log, and for nobody else. */

const roles = { auditor: 'audit', admin: 'platform', approver: 'approvers', nobody: 'guests' }
type Role = keyof typeof roles

const id = '01890000-0000-7000-8000-000000000000'
const reason = 'case 2026-4, Smith against us'
const claim = {
  month: '2020-01',
  events: 0,
  impersonal: 0,
  exports: [{ sha256: '0'.repeat(64), first: 0, end: 1 }],
}
const readers: readonly Role[] = ['auditor', 'admin']
const routes: readonly [readonly Role[], string, unknown?][] = [
  [['auditor'], '/api/audit/events?q=agent'],
  [['auditor'], '/api/audit/evidence?framework=soc2'],
  [['auditor'], '/api/audit/evidence/report?framework=soc2'],
  [['auditor'], '/api/audit/searches'],
  [['auditor'], '/api/audit/searches', { name: 'mine', query: {} }],
  [['auditor'], '/api/audit/searches/forget', { name: 'mine' }],
  [['auditor'], '/api/usage?by=subject'],
  [['auditor'], '/api/usage/first'],
  [['auditor'], '/api/policies/replay', { from: '2026-01-01T00:00:00Z' }],
  [readers, '/api/audit/deliveries'],
  [readers, '/api/audit/retention'],
  [['admin'], '/api/audit/retention', claim],
  [readers, '/api/audit/legal-holds'],
  [readers, '/api/audit/legal-holds', { reason, action: id }],
  [['admin'], `/api/audit/legal-holds/${id}/release`, { reason }],
]

let gateway: TestGateway
let tokens: Readonly<Record<Role, string>>

beforeAll(async () => {
  gateway = await startTestGateway({
    upstream: 'http://127.0.0.1:9',
    policies: { 'none.yaml': 'rules: []\n' },
  })
  const minted = Object.entries(roles).map(
    async ([role, group]) =>
      [role, await gateway.personToken('noor', { sub: role, groups: [group] })] as const,
  )
  tokens = Object.fromEntries(await Promise.all(minted)) as typeof tokens
})
afterAll(() => gateway.close())

function ask(token: string | null, path: string, body?: unknown): Promise<Response> {
  return fetch(`${gateway.controlUrl}${path}`, {
    headers: {
      ...(token !== null && { authorization: `Bearer ${token}` }),
      ...(body !== undefined && { 'content-type': 'application/json' }),
    },
    ...(body !== undefined && { method: 'POST', body: JSON.stringify(body) }),
  })
}

test.each(routes)('for %s: %s %o', async (allowed, path, body) => {
  expect((await ask(null, path, body)).status).toBe(401)
  expect((await ask(await gateway.agentToken(), path, body)).status).toBeGreaterThanOrEqual(401)
  for (const role of Object.keys(roles) as Role[]) {
    const { status } = await ask(tokens[role], path, body)
    expect([role, status === 403]).toEqual([role, !allowed.includes(role)])
  }
})

test('a run is nobody’s to read who is neither behind it nor asked about it', async () => {
  const trace = 'ab'.repeat(16)
  await gateway.agent('/crm/v1/x', { headers: { traceparent: `00-${trace}-${'12'.repeat(8)}-01` } })
  const of = async (role: Role) => (await ask(tokens[role], `/api/audit/traces/${trace}`)).status
  await expect.poll(() => of('auditor')).toBe(200)
  expect([await of('approver'), await of('admin'), await of('nobody')]).toEqual([404, 404, 404])
})

const texts = {
  NUL: 'a\0b',
  'a lone surrogate': 'a\ud800b',
  'operators of tsquery': `'a':* & !b | <-> \\' (`,
  'wildcards of LIKE': `%_\\%`,
  'line ends and formulas': '=1+1\r\n<img src=x onerror=alert(1)>',
  'what turns text around': '\u202e\u2066',
  'a very long one': 'x'.repeat(100_000),
}
const names =
  'q subject resource action rule reason type model dataset class trace digest approval'.split(' ')

describe.each(Object.entries(texts))('%s', (_, text) => {
  test('is refused or looked for, and breaks nothing', async () => {
    const { auditor } = tokens
    const asked = encodeURIComponent(text.toWellFormed())
    const paths = [
      ...names.map((name) => `/api/audit/events?${name}=${asked}`),
      ...['subject', 'resource', 'dataset', 'class', 'model'].map(
        (name) => `/api/usage?by=subject&${name}=${asked}`,
      ),
      `/api/usage/first?subject=${asked}`,
      `/api/audit/evidence/report?framework=soc2&from=${asked}`,
    ]
    for (const path of paths) {
      const { status } = await ask(auditor, path)
      expect([path.slice(0, 60), status < 500]).toEqual([path.slice(0, 60), true])
    }
    for (const saved of [
      { name: text, query: {} },
      { name: 'mine', query: { q: text } },
    ]) {
      expect((await ask(auditor, '/api/audit/searches', saved)).status).toBeLessThan(500)
      expect((await ask(auditor, '/api/audit/searches')).status).toBe(200)
    }
    const hold = { reason: `${text} and why`, subject: { issuer: text, subject: text } }
    expect((await ask(tokens.admin, '/api/audit/legal-holds', hold)).status).toBeLessThan(500)
    expect((await ask(tokens.admin, '/api/audit/legal-holds')).status).toBe(200)
  })
})
