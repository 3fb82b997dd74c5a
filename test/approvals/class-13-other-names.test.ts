import { afterAll, beforeAll, expect, test } from 'vitest'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'

// Class 13: self-approval, and votes counted twice, where the identity provider gives one person several names.

const policies = {
  'crm.yaml': `
rules:
  - name: refunds
    on: crm
    what: { http: { method: POST, path: /v1/refunds } }
    then: hold
    approval: { from: { group: support-leads } }
  - name: exports
    on: crm
    what: { http: { method: POST, path: /v1/exports } }
    then: hold
    approval: { from: { group: data-owners }, quorum: 2 }
`,
}

let upstream: CountingUpstream
let gateway: TestGateway

beforeAll(async () => {
  upstream = await startCountingUpstream()
  gateway = await startTestGateway({ upstream: upstream.url, policies })
})
afterAll(async () => {
  await gateway.close()
  await upstream.close()
})

type Claims = Record<string, unknown>

let requests = 0

/** The id of the approval that this agent waits for; nobody else asks for the same. */
async function held(path: string, claims: Claims): Promise<string> {
  const answer = await gateway.agent(
    `/crm${path}?request=${++requests}`,
    { method: 'POST', headers: { prefer: 'wait=0' } },
    claims,
  )
  const problem = (await answer.json()) as { task: { id: string } }
  return problem.task.id
}

/** What becomes of the approval when whoever has these claims decides: its state, or why not. */
async function decide(decision: string, id: string, claims: Claims): Promise<string | undefined> {
  const { action, view_hash } = await gateway.approval(id)
  const token = await gateway.issuer.mint({ kind: 'human', client_id: 'cli', ...claims })
  const answer = await fetch(`${gateway.controlUrl}/api/approvals/${id}/votes`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ decision, digest: action.digest, view_hash }),
  })
  const body = (await answer.json()) as { state?: string; type?: string }
  return body.state ?? body.type?.split('/').at(-1)
}

const approve = (id: string, claims: Claims) => decide('approve', id, claims)

const leads = { groups: ['support-leads'] }
const owners = { groups: ['data-owners'] }

test('Okta puts the user name into access tokens, and the id into ID tokens: one person has one vote', async () => {
  const id = await held('/v1/exports', {})
  expect(await approve(id, { sub: '00u1', email: 'sam@example.com', ...owners })).toBe('pending')
  const again = { sub: 'sam@example.com', uid: '00u1', ...owners }
  expect(await approve(id, again)).toBe('already-resolved')
  expect((await gateway.approval(id)).state).toBe('pending')
  expect(await approve(id, { sub: '00u2', email: 'kim@example.com', ...owners })).toBe('approved')
})

test('somebody who takes the name of another keeps nobody from saying no', async () => {
  const id = await held('/v1/exports', {})
  expect(await approve(id, { sub: '00u6', email: 'omar@example.com', ...owners })).toBe('pending')
  const himself = { sub: 'omar', email: 'omar@example.com', ...owners }
  expect(await approve(id, himself)).toBe('already-resolved')
  expect(await decide('deny', id, himself)).toBe('denied')
})

test('an owner who is named by one of the two cannot approve under the other', async () => {
  const id = await held('/v1/refunds', { agent_owner: '00u3' })
  const itself = { sub: 'lee@example.com', uid: '00u3', ...leads }
  expect(await approve(id, itself)).toBe('self-approval')
})

test('nor when only an earlier login told that both are one person', async () => {
  const earlier = await held('/v1/refunds', {})
  await approve(earlier, { sub: '00u4', email: 'ravi@example.com', ...leads })
  const id = await held('/v1/refunds', { agent_owner: '00u4' })
  expect(await approve(id, { sub: 'RAVI@example.com', ...leads })).toBe('self-approval')
})

test('Entra draws `sub` anew for each client, and keeps `oid`: whom an agent acts for is still excluded', async () => {
  const delegated = { sub: 'drawn-for-the-agent', oid: 'a1b2', kind: 'human', act: { sub: 'bot' } }
  const id = await held('/v1/refunds', { ...delegated, agent_owner: undefined })
  const itself = { sub: 'drawn-for-the-console', oid: 'a1b2', ...leads }
  expect(await approve(id, itself)).toBe('self-approval')
})

test('a name that is written with other code points is the same name', async () => {
  const id = await held('/v1/refunds', { agent_owner: 'JOS\u00c9@example.com' })
  const itself = { sub: '00u5', email: 'jose\u0301@example.com', ...leads }
  expect(await approve(id, itself)).toBe('self-approval')
})

test('a name that somebody took shows them nothing, and takes nothing back', async () => {
  const id = await held('/v1/refunds', {})
  const token = await gateway.issuer.mint({
    sub: 'mallory',
    kind: 'human',
    client_id: 'cli',
    groups: [],
    preferred_username: 'support-agent',
    email: 'priya',
  })
  const headers = { authorization: `Bearer ${token}` }
  const path = `${gateway.controlUrl}/api/approvals/${id}`
  expect((await fetch(path, { headers })).status).toBe(404)
  expect((await fetch(`${path}/cancel`, { method: 'POST', headers })).status).toBe(404)
  const list = await fetch(`${gateway.controlUrl}/api/approvals`, { headers })
  expect(await list.json()).toMatchObject({ approvals: [] })
  expect((await gateway.approval(id)).state).toBe('pending')
})
