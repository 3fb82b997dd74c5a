import { once } from 'node:events'
import { readFileSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { PolicyFile } from './policy-file.ts'
import { policies } from './policies.ts'
import { problemIn, refund, waiting, type AuditEvent, type Problem } from './requests.ts'

let upstream: CountingUpstream
let gateway: TestGateway

/** Bytes of `hold.max_response`. */
const most = 6 * 1024 * 1024
const soon = { timeout: 60_000, interval: 20 }

beforeAll(async () => {
  upstream = await startCountingUpstream()
  gateway = await startTestGateway({
    upstream: upstream.url,
    policies,
    config: 'hold: { max_response: 6MiB, on_disconnect: cancel }',
  })
})

const usual = () => ({ answer: upstream.answer })
let before: ReturnType<typeof usual>

beforeEach(() => {
  before ??= usual()
  upstream.answer = before.answer
  upstream.arrived.length = 0
})

afterAll(async () => {
  await gateway.close()
  await upstream.close()
})

/** The same request, by a client that would rather come back for its answer. */
function async(init: RequestInit, more = ''): RequestInit {
  return { ...init, headers: { ...(init.headers as object), prefer: `respond-async${more}` } }
}

type Task = Problem['task'] & { readonly [member: string]: unknown }

/** Sends it, and gets the task of what people have to decide on. */
async function accepted(init: RequestInit, claims = {}): Promise<Task> {
  const response = await gateway.agent('/crm/v1/refunds', async(init), claims)
  expect(response.status).toBe(202)
  const { task } = (await response.json()) as { task: Task }
  return task
}

const status = async (id: string) => {
  const response = await gateway.agent(`/access/v1/requests/${id}`)
  return ((await response.json()) as { task: Task }).task
}

/** What there is to fetch, once there is something else to say than that it is not there yet. */
async function fetched(id: string): Promise<Response> {
  for (;;) {
    const response = await gateway.agent(`/access/v1/requests/${id}/response`)
    if (response.status !== 404) return response
    await problemIn(response, 'response-pending')
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

const storyOf = async (id: string) =>
  (await gateway.auditLog())
    .map((line) => JSON.parse(line) as AuditEvent)
    .filter(({ approval }) => approval === id)
    .toSorted((a, b) => a.time.localeCompare(b.time) || a.id.localeCompare(b.id))

/** The action that ran. */
async function ranAs(id: string): Promise<string> {
  const events = await storyOf(id)
  return events.find(({ type }) => type === 'action.dispatched')!.action!.id
}

describe('a held request with Prefer: respond-async', () => {
  it('is accepted, is sent by the gateway once it is approved, and its answer is there to be fetched, once', async () => {
    upstream.answer = (_request, response) => {
      response.writeHead(201, 'Refunded', { 'content-type': 'application/json', location: '/r/7' })
      response.end('{"refund":"r-7"}')
    }
    const request = refund()
    const response = await gateway.agent('/crm/v1/refunds', async(request))
    expect(response.status).toBe(202)
    expect(response.headers.get('preference-applied')).toBe('respond-async')
    expect(response.headers.get('retry-after')).toBe('5')
    const { task, response_endpoint } = (await response.json()) as {
      task: Task
      response_endpoint: string
    }
    expect(task).toMatchObject({ status: 'pending' })
    expect(response.headers.get('location')).toBe(task.status_endpoint)
    expect(response_endpoint).toBe(`${task.status_endpoint}/response`)

    const early = await gateway.agent(response_endpoint)
    expect(early.status).toBe(404)
    expect(early.headers.get('retry-after')).toBe('5')
    expect(await problemIn(early, 'response-pending')).toMatchObject({
      task: { id: task.id, status: 'pending' },
    })

    await gateway.vote('dana', await gateway.pending())
    const kept = await fetched(task.id)
    expect(kept.status).toBe(201)
    expect(kept.statusText).toBe('Refunded')
    expect(kept.headers.get('location')).toBe('/crm/r/7')
    expect(kept.headers.get('sallyport-action')).toBe(await ranAs(task.id))
    expect(await kept.text()).toBe('{"refund":"r-7"}')

    await expect.poll(async () => (await fetched(task.id)).status, soon).toBe(410)
    expect(await problemIn(fetched(task.id), 'response-gone')).toMatchObject({
      reason: 'delivered',
      task: { status: 'approved', result: { outcome: { result: 'succeeded', status: 201 } } },
    })
    expect(upstream.arrived).toHaveLength(1)
    expect(upstream.arrived[0]).toMatchObject({ method: 'POST', url: '/v1/refunds' })
    expect(upstream.arrived[0]!.body).toBe(request.body)
    expect(upstream.arrived[0]!.headers).toMatchObject({
      authorization: 'Bearer upstream-secret-of-the-test',
      'content-type': 'application/json',
    })
    expect(upstream.arrived[0]!.headers).not.toHaveProperty('prefer')

    const events = await storyOf(task.id)
    expect(events.map(({ type }) => type)).toEqual([
      'approval.requested',
      'action.decided',
      'approval.voted',
      'approval.resolved',
      'action.dispatched',
      'action.completed',
      'response.delivered',
    ])
    expect(events[4]).toMatchObject({ details: { detached: true } })
  })

  it('is answered directly where nobody has to approve it', async () => {
    const response = await gateway.agent('/crm/v1/customers', async({}))
    expect(response.status).toBe(200)
    expect(response.headers.get('preference-applied')).toBeNull()
    expect(await response.json()).toEqual({ did: 'GET /v1/customers' })
  })

  it('is answered on its connection if it is approved within the wait that it asks for too', async () => {
    const asked = gateway.agent('/crm/v1/refunds', async(refund(), ', wait=60'))
    const approval = await gateway.pending()
    await gateway.vote('dana', approval)
    const response = await asked
    // Either is right: the attempt that waits and the gateway itself are equally fast.
    expect([201, 202]).toContain(response.status)
    await expect
      .poll(async () => (await status(approval.id))['result'], soon)
      .toMatchObject({ outcome: { status: 201 } })
    expect(upstream.arrived).toHaveLength(1)
  })

  it('is one request with the same that is sent again, by whatever way, and runs once', async () => {
    const request = refund()
    const first = await accepted(request)
    const again = await accepted(request)
    expect(again.id).toBe(first.id)
    // By its name: should it come too late, it is told so, and does not ask anew.
    const named = waiting(request, 300)
    named.headers = { ...(named.headers as object), 'sallyport-approval': first.id }
    const live = gateway.agent('/crm/v1/refunds', named)
    await gateway.vote('dana', await gateway.pending())
    const answer = await live
    expect([201, 403]).toContain(answer.status)
    const kept = await fetched(first.id)
    if (answer.status === 201) {
      expect(await problemIn(kept, 'response-gone')).toMatchObject({ reason: 'not-kept' })
    } else {
      await problemIn(answer, 'approval-used')
      expect(kept.status).toBe(201)
    }
    expect(upstream.arrived).toHaveLength(1)
  })

  it('can be taken back while it is pending, and never runs then', async () => {
    const { id, status_endpoint } = await accepted(refund())
    const response = await gateway.agent(`${status_endpoint}/cancel`, { method: 'POST' })
    expect(await response.json()).toMatchObject({ task: { status: 'cancelled' } })
    await problemIn(fetched(id), 'approval-cancelled')
    expect((await gateway.vote('dana', await gateway.approval(id))).status).toBe(409)
    expect(upstream.arrived).toEqual([])
  })

  it('says what the approver said, when it was denied', async () => {
    const { id } = await accepted(refund())
    await gateway.vote('dana', await gateway.pending(), 'deny', { reason: 'Ask finance.' })
    const problem = await problemIn(fetched(id), 'approval-denied')
    expect(problem.detail).toContain('Ask finance.')
    expect(upstream.arrived).toEqual([])
  })

  it('stays when its client goes away, although the others’ are cancelled then', async () => {
    const request = refund()
    const { id } = await accepted(request)
    const leaving = new AbortController()
    const live = gateway.agent('/crm/v1/refunds', {
      ...waiting(request, 300),
      signal: leaving.signal,
    })
    await gateway.pending()
    leaving.abort()
    await expect(live).rejects.toThrow()
    await gateway.vote('dana', await gateway.approval(id))
    expect((await fetched(id)).status).toBe(201)
  })

  it('keeps the answers of the upstream that are no success, and those without a body', async () => {
    for (const [code, body] of [
      [422, '{"error":"no such order"}'],
      [204, ''],
    ] as const) {
      upstream.answer = (_request, response) => {
        response.writeHead(code).end(body)
      }
      const { id } = await accepted(refund())
      await gateway.vote('dana', await gateway.pending())
      const kept = await fetched(id)
      expect(kept.status).toBe(code)
      expect(await kept.text()).toBe(body)
    }
  })

  it('gives the answer to nobody else (class 12)', async () => {
    const { id } = await accepted(refund())
    await gateway.vote('dana', await gateway.pending())
    await expect.poll(async () => (await status(id))['result'], soon).toBeDefined()
    const path = `/access/v1/requests/${id}/response`
    for (const claims of [
      { sub: 'other-agent' },
      { agent_owner: 'omar' },
      { act: { sub: 'helper' } },
    ]) {
      await problemIn(gateway.agent(path, {}, claims), 'not-found')
    }
    expect((await fetched(id)).status).toBe(201)
  })

  it('can be fetched again after a transfer that broke', async () => {
    // More than the buffers of a connection take in.
    const much = Buffer.alloc(most, 'x')
    upstream.answer = (_request, response) => void response.end(much)
    const { id, status_endpoint } = await accepted(refund())
    await gateway.vote('dana', await gateway.pending())
    await expect.poll(async () => (await status(id))['result'], soon).toBeDefined()

    const { hostname, port } = new URL(gateway.agentsUrl)
    const socket = connect(Number(port), hostname)
    socket.write(
      `GET ${status_endpoint}/response HTTP/1.1\r\nHost: gateway\r\nAuthorization: Bearer ${await gateway.agentToken()}\r\n\r\n`,
    )
    const [first] = (await once(socket, 'data')) as [Buffer]
    // It takes no more of it: otherwise it might have all of it soon.
    socket.pause()
    expect(first.toString('latin1')).toMatch(/^HTTP\/1\.1 200 /)
    // Nobody else can keep a second copy of it in memory meanwhile.
    const meanwhile = await gateway.agent(`${status_endpoint}/response`)
    expect(await problemIn(meanwhile, 'response-pending')).toMatchObject({ retry_after: 1 })
    socket.destroy()

    // As soon as the gateway has noticed that nobody takes the first one any more.
    const whole = async () => {
      const again = await fetched(id)
      return again.status === 200 && Buffer.from(await again.arrayBuffer()).equals(much)
    }
    await expect.poll(whole, soon).toBe(true)
    await expect.poll(async () => (await fetched(id)).status, soon).toBe(410)
  })

  it('says so when there is too much to keep, and knows how it ended', async () => {
    upstream.answer = (_request, response) => void response.end(Buffer.alloc(most + 1))
    const { id } = await accepted(refund())
    await gateway.vote('dana', await gateway.pending())
    expect(await problemIn(fetched(id), 'response-gone')).toMatchObject({
      reason: 'too-large',
      task: { result: { outcome: { result: 'succeeded', status: 200, bytes: most + 1 } } },
    })
  })

  it('is `unknown` when the upstream breaks off, and is not sent again', async () => {
    upstream.answer = (_request, response) => void response.socket!.destroy()
    const { id } = await accepted(refund())
    await gateway.vote('dana', await gateway.pending())
    expect(await problemIn(fetched(id), 'response-gone')).toMatchObject({
      reason: 'no-answer',
      task: { status: 'failed', reason: 'unknown' },
    })
    expect(upstream.arrived).toHaveLength(1)
  })

  it('does not run with a credential that has ended, and says so; it does if it was sent again with one that is good for longer', async () => {
    // By a clock that may be off by 30 seconds: good for some more, in which a busy machine gets to ask.
    const exp = Math.floor(Date.now() / 1000) - 20
    const claims = { iat: exp - 60, exp }
    const request = refund()
    const [left, again] = [await accepted(refund(), claims), await accepted(request, claims)]
    expect((await accepted(request)).id).toBe(again.id)
    const approvals = [await gateway.approval(left.id), await gateway.approval(again.id)]
    await new Promise((resolve) => setTimeout(resolve, (exp + 30) * 1000 - Date.now() + 100))
    for (const approval of approvals) await gateway.vote('dana', approval)
    const problem = await problemIn(fetched(left.id), 'approval-invalidated')
    expect(problem.task).toMatchObject({
      status: 'failed',
      reason: 'invalidated',
      detail: expect.stringContaining('credential'),
    })
    expect((await fetched(again.id)).status).toBe(201)
    expect(upstream.arrived.map(({ body }) => body)).toEqual([request.body])
  })

  it('does not run when the policies deny it by the time that it is approved', async () => {
    const file = new PolicyFile(gateway)
    const before = await file.inForce()
    const { id } = await accepted(refund())
    await file.change(`${policies['crm.yaml']}
  - name: no-refunds
    on: crm
    what: { http: { path: /v1/refunds } }
    then: deny
`)
    await problemIn(fetched(id), 'approval-invalidated')
    await file.restore(policies['crm.yaml'], before)
    expect(upstream.arrived).toEqual([])
  })

  it('does not run when the resource leads elsewhere, or with another credential, by then (class 11)', async () => {
    const { id } = await accepted(refund())
    const file = join(gateway.folder, 'sallyport.yaml')
    const config = readFileSync(file, 'utf8')
    await gateway.restart(() => {
      writeFileSync(file, config.replace('upstream-secret-of-the-test', 'another-secret'))
    })
    await gateway.vote('dana', await gateway.pending())
    const problem = await problemIn(fetched(id), 'approval-invalidated')
    expect(problem.detail).toContain('another upstream or credential')
    await gateway.restart(() => writeFileSync(file, config))
    expect(upstream.arrived).toEqual([])
  })

  it('is sent after a restart of the gateway, if it was approved before', async () => {
    const { id } = await accepted(refund())
    await gateway.restart()
    await gateway.vote('dana', await gateway.pending())
    const kept = await fetched(id)
    expect(kept.status).toBe(201)
    expect(upstream.arrived).toHaveLength(1)
  })

  it('is waited for when the gateway stops in the middle of it', async () => {
    const arrived = Promise.withResolvers<() => void>()
    upstream.answer = (_request, response) => arrived.resolve(() => void response.end('at last'))
    const { id } = await accepted(refund())
    await gateway.vote('dana', await gateway.pending())
    const finish = await arrived.promise
    let over = false
    const restarted = gateway.restart().finally(() => (over = true))
    // The control plane is closed by then, and what runs is waited for.
    await expect.poll(() => gateway.person('dana', '/healthz').catch(() => null), soon).toBeNull()
    expect(over).toBe(false)
    finish()
    await restarted
    expect(await (await fetched(id)).text()).toBe('at last')
    expect(upstream.arrived).toHaveLength(1)
  })
})
