import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import type { PersonName } from '../support/gateway-client.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { PolicyFile } from './policy-file.ts'
import { problemIn, verifiedLog } from './requests.ts'

const soon = { timeout: 60_000, interval: 50 }

const governed = `
rules:
  - name: agents-read
    on: crm
    what: { http: { method: GET } }
    then: allow
  - name: somebody-else-looks-at-it
    on: sallyport
    what: { admin: { operation: [policy.activate, key.create, key.revoke] } }
    then: hold
    risk: high
    approval: { from: { group: approvers } }
`
const more = `${governed}
  - name: agents-write
    on: crm
    what: { http: { method: POST } }
    then: allow
`

let upstream: CountingUpstream
let gateway: TestGateway
let file: PolicyFile

beforeAll(async () => {
  upstream = await startCountingUpstream()
  gateway = await startTestGateway({ upstream: upstream.url, policies: { 'crm.yaml': governed } })
  file = new PolicyFile(gateway)
})

afterAll(async () => {
  await gateway.close()
  await upstream.close()
})

function post(name: PersonName, path: string, body: object = {}): Promise<Response> {
  return gateway.person(name, path, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
}

async function answer<T>(response: Promise<Response>, status: number): Promise<T> {
  const got = await response
  expect(got.status).toBe(status)
  return (await got.json()) as T
}

const asAgent = (token: string) =>
  fetch(`${gateway.agentsUrl}/crm/v1/customers`, { headers: { authorization: `Bearer ${token}` } })

const state = async (id: string) => (await gateway.approval(id)).state

describe('a key, where a rule holds its making', () => {
  it('opens nothing until somebody else has approved it, and is made once', async () => {
    const key = { name: 'refund-bot', groups: ['agents'], owner: { subject: 'priya' } }
    const asked = await answer<{ approval: string; token: string }>(
      post('dana', '/api/keys', key),
      202,
    )
    expect((await asAgent(asked.token)).status).toBe(401)
    const approval = await gateway.approval(asked.approval)
    expect(approval.action).toMatchObject({
      name: 'key.create',
      resource: 'sallyport',
      payload: { name: 'refund-bot', owner: { subject: 'priya' } },
    })
    expect(JSON.stringify(approval)).not.toContain(asked.token)

    await problemIn(gateway.vote('dana', approval), 'self-approval')
    expect((await gateway.vote('omar', approval)).status).toBe(200)
    await expect.poll(() => state(approval.id), soon).toBe('succeeded')
    expect((await asAgent(asked.token)).status).toBe(200)
    const { keys } = await answer<{ keys: { name: string }[] }>(
      gateway.person('dana', '/api/keys'),
      200,
    )
    expect(keys.map(({ name }) => name)).toEqual(['refund-bot'])
  })

  it('is not made where another one has taken its name meanwhile', async () => {
    const key = { name: 'twin', groups: ['agents'] }
    const asked = [
      await answer<{ approval: string; token: string }>(post('dana', '/api/keys', key), 202),
      await answer<{ approval: string; token: string }>(post('dana', '/api/keys', key), 202),
    ]
    for (const { approval } of asked) await gateway.vote('omar', await gateway.approval(approval))
    await expect
      .poll(
        async () => (await Promise.all(asked.map(({ approval }) => state(approval)))).toSorted(),
        soon,
      )
      .toEqual(['invalidated', 'succeeded'])
    const statuses = await Promise.all(
      asked.map(async ({ token }) => (await asAgent(token)).status),
    )
    expect(statuses.toSorted((a, b) => a - b)).toEqual([200, 401])
  })

  it('goes on working until its end has been approved, too', async () => {
    const made = await answer<{ approval: string; token: string }>(
      post('dana', '/api/keys', { name: 'short-lived', groups: ['agents'] }),
      202,
    )
    await gateway.vote('lena', await gateway.approval(made.approval))
    await expect.poll(async () => (await asAgent(made.token)).status, soon).toBe(200)
    const { keys } = await answer<{ keys: { id: string; name: string }[] }>(
      gateway.person('dana', '/api/keys'),
      200,
    )
    const { id } = keys.find(({ name }) => name === 'short-lived')!
    const { approval } = await answer<{ approval: string }>(
      post('dana', `/api/keys/${id}/revoke`),
      202,
    )
    expect((await asAgent(made.token)).status).toBe(200)
    await gateway.vote('omar', await gateway.approval(approval))
    await expect.poll(async () => (await asAgent(made.token)).status, soon).toBe(401)
  })
})

describe('a policy file that is edited, where a rule holds that', () => {
  it('comes into force when somebody who does not administer the gateway has approved its diff', async () => {
    const before = await file.inForce()
    file.write(more)
    const approval = await gateway.pending()
    expect(await file.inForce()).toBe(before)
    expect(approval.action).toMatchObject({ name: 'policy.activate', resource: 'sallyport' })
    const { text } = approval.action.payload['body'] as { text: string }
    expect(text).toContain('--- crm.yaml\n+++ crm.yaml\n')
    expect(text).toContain('+  - name: agents-write\n')

    // Who edited it is not known: it can have been anybody who administers the gateway.
    await problemIn(gateway.vote('dana', approval), 'self-approval')
    expect((await gateway.vote('omar', approval)).status).toBe(200)
    await expect.poll(() => file.inForce(), soon).not.toBe(before)
    expect((await gateway.agent('/crm/v1/notes', { method: 'POST' })).status).toBe(201)

    const log = await verifiedLog(gateway, gateway.folder)
    const activated = log.findLast(({ type }) => type === 'policy.activated')
    expect(activated).toMatchObject({ approval: approval.id, details: { instead_of: before } })
  })

  it('does not come into force when other policies have, since its diff was shown', async () => {
    file.write(
      `${more}# one more comment\n  - { name: no-put, on: crm, what: { http: { method: PUT } }, then: deny }\n`,
    )
    const outdated = await gateway.pending()
    const proposal = { documents: [{ file: 'crm.yaml', text: governed }] }
    const { approval } = await answer<{ approval: string }>(
      post('dana', '/api/policies/proposals', proposal),
      202,
    )
    const proposed = await gateway.approval(approval)
    await problemIn(gateway.vote('dana', proposed), 'self-approval')
    const before = await file.inForce()
    await gateway.vote('omar', proposed)
    await expect.poll(() => file.inForce(), soon).not.toBe(before)
    await gateway.vote('omar', outdated)
    await expect.poll(() => state(outdated.id), soon).toBe('invalidated')
    await problemIn(gateway.agent('/crm/v1/notes', { method: 'POST' }), 'denied')
  })
})

describe('an export of the audit log, where a rule holds that', () => {
  it('runs once, when it is asked for again after somebody else has approved it', async () => {
    const held = governed.replace('key.revoke]', 'key.revoke, audit.export]')
    const proposal = { documents: [{ file: 'crm.yaml', text: held }] }
    const before = await file.inForce()
    const { approval: change } = await answer<{ approval: string }>(
      post('dana', '/api/policies/proposals', proposal),
      202,
    )
    await gateway.vote('omar', await gateway.approval(change))
    await expect.poll(() => file.inForce(), soon).not.toBe(before)

    const path = '/api/audit/export?from=2026-01-01'
    const { task } = await problemIn(gateway.person('dana', path), 'approval-pending')
    await problemIn(gateway.person('dana', path), 'approval-pending')
    await gateway.vote('omar', await gateway.approval(task.id))
    expect((await gateway.person('dana', path)).status).toBe(200)
    await problemIn(gateway.person('dana', path), 'approval-pending')
  })
})

describe('a proposal', () => {
  it('with a mistake in it is refused, with the place of the mistake', async () => {
    const text = governed.replace('on: crm', 'on: crn')
    const proposal = { documents: [{ file: 'crm.yaml', text }] }
    const { detail } = await problemIn(
      post('dana', '/api/policies/proposals', proposal),
      'bad-request',
    )
    expect(detail).toContain('crm.yaml:4:')
  })

  it('cannot hide rules behind another file of the same name, or a name that looks like a diff (class 24)', async () => {
    const rules = (name: string) => `rules: [{ name: ${name}, on: crm, then: allow }]`
    const hidden = { file: 'extra.yaml', text: rules('everything-for-everybody') }
    const shown = { file: 'extra.yaml', text: rules('harmless') }
    const rest = { file: 'crm.yaml', text: governed }
    const twice = post('dana', '/api/policies/proposals', { documents: [hidden, shown, rest] })
    const { detail } = await problemIn(twice, 'bad-request')
    expect(detail).toContain('There is another file of this name.')
    const forged = { ...hidden, file: 'extra.yaml\n+++ extra.yaml\n+# nothing to see.yaml' }
    await problemIn(
      post('dana', '/api/policies/proposals', { documents: [forged, rest] }),
      'bad-request',
    )
  })

  it('is for administrators', async () => {
    const proposal = { documents: [{ file: 'crm.yaml', text: more }] }
    await problemIn(post('omar', '/api/policies/proposals', proposal), 'forbidden')
  })
})
