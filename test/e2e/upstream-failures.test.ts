import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startCountingUpstream, type CountingUpstream } from '../support/counting-upstream.ts'
import { startTestGateway, type TestGateway } from '../support/gateway.ts'
import { problemIn, verifiedLog, waiting } from './requests.ts'

const methods = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE']

const policies = {
  'crm.yaml': `
rules:
  - name: agents-do
    on: '*'
    what: { http: { method: [${methods.join(', ')}], path: /v1/allowed/** } }
    then: allow
  - name: leads-approve
    on: '*'
    what: { http: { path: /v1/held/** } }
    then: hold
    approval: { from: { group: support-leads } }
`,
}

let upstream: CountingUpstream
let selfSigned: CountingUpstream
let gateway: TestGateway
/** What ends the answers that have a first half, by their paths. */
const breaksOff = new Map<string, () => void>()

beforeAll(async () => {
  upstream = await startCountingUpstream()
  // The path says what it does to a request, after it has taken it.
  upstream.answer = ({ url, body }, response) => {
    if (url.includes('/unwilling/')) response.writeHead(503, { 'retry-after': '0' }).end(body)
    else if (url.includes('/cutting/')) response.socket!.resetAndDestroy()
    else if (url.includes('/half/')) {
      response.writeHead(200, { 'content-length': 100 })
      response.write('{"half":')
      breaksOff.set(url, () => response.socket!.destroy())
    }
  }
  const fixture = (name: string) =>
    readFileSync(fileURLToPath(new URL(`../protocols/http/fixtures/${name}`, import.meta.url)))
  selfSigned = await startCountingUpstream({
    key: fixture('upstream.key.pem'),
    cert: fixture('upstream.cert.pem'),
  })
  const gone = await startCountingUpstream()
  await gone.close()
  const resource = (name: string, url: string) => `
  - name: ${name}
    protocol: http
    match: { prefix: /${name} }
    upstream: ${url}
    credential: { header: Authorization, value: Bearer upstream-secret-of-the-test }
    read: ['GET /v1/**']`
  gateway = await startTestGateway({
    upstream: upstream.url,
    policies,
    resources:
      resource('gone', gone.url) +
      resource('self-signed', selfSigned.url) +
      `${resource('hasty', upstream.url)}
    timeout: 1s`,
    config: 'hold: { max_per_subject: 100 }',
  })
})

afterAll(async () => {
  await gateway.close()
  await upstream.close()
  await selfSigned.close()
})

/** What the upstream does, where it does that, and what there is to see of it. */
interface Failure {
  readonly does: string
  readonly where: string
  readonly status: number
  readonly arrives: boolean
  readonly outcome: Record<string, unknown>
}

const unreachable = { result: 'failed', error: 'upstream-unreachable' }

const failures: readonly Failure[] = [
  {
    does: 'answers 503',
    where: '/crm/v1/*/unwilling',
    status: 503,
    arrives: true,
    outcome: { result: 'failed', status: 503 },
  },
  {
    does: 'cuts the connection',
    where: '/crm/v1/*/cutting',
    status: 502,
    arrives: true,
    outcome: { result: 'unknown', error: 'upstream-unreachable' },
  },
  {
    does: 'answers one half',
    where: '/crm/v1/*/half',
    status: 200,
    arrives: true,
    outcome: { result: 'unknown', status: 200, error: 'upstream-unreachable' },
  },
  {
    does: 'never answers',
    where: '/hasty/v1/*/silent',
    status: 504,
    arrives: true,
    outcome: { result: 'unknown', error: 'upstream-timeout' },
  },
  {
    does: 'is not there',
    where: '/gone/v1/*/x',
    status: 502,
    arrives: false,
    outcome: unreachable,
  },
  {
    does: 'has a certificate that nobody we know has signed',
    where: '/self-signed/v1/*/x',
    status: 502,
    arrives: false,
    outcome: unreachable,
  },
]

let count = 0

describe.each(failures)('an upstream that $does', ({ where, status, arrives, outcome }) => {
  /** A path that only one request has. */
  const pathFor = (way: 'allowed' | 'held') => `${where.replace('*', way)}/${++count}`

  const arrivals = (path: string) =>
    [...upstream.arrived, ...selfSigned.arrived].filter(({ url }) => path.endsWith(url)).length

  /** Of a read it is known that it had no effect, however little came back. */
  const outcomeOf = (method: string) =>
    method === 'GET' && outcome['result'] === 'unknown' ? { ...outcome, result: 'failed' } : outcome

  function request(method: string): RequestInit {
    return { method, ...(method !== 'GET' && { body: `a body for ${method}` }) }
  }

  /** Checks the answer, and gives the id of the action. */
  async function check(path: string, answer: Response): Promise<string> {
    expect(answer.status).toBe(status)
    const [, breakOff] = [...breaksOff].find(([url]) => path.endsWith(url)) ?? []
    // Not before some of it has been passed on: until then it could be told from a whole one.
    breakOff?.()
    if (breakOff) await expect(answer.text()).rejects.toThrow()
    else await answer.text()
    return answer.headers.get('sallyport-action')!
  }

  it('sees what is allowed once, whatever the method', async () => {
    const actions = await Promise.all(
      methods.map(async (method) => {
        const path = pathFor('allowed')
        const action = await check(path, await gateway.agent(path, request(method)))
        expect(arrivals(path), method).toBe(arrives ? 1 : 0)
        return { method, action }
      }),
    )
    const recorded = async () =>
      (await verifiedLog(gateway, gateway.folder)).filter(({ type }) => type === 'action.completed')
    for (const { method, action } of actions) {
      await expect
        .poll(async () => (await recorded()).find((event) => event.action?.id === action)?.outcome)
        .toMatchObject(outcomeOf(method))
    }
  })

  it('sees what was approved once, and the approval has the outcome', async () => {
    await Promise.all(
      methods.map(async (method) => {
        const path = pathFor('held')
        const held = gateway.agent(path, waiting(request(method), 0))
        const { task } = await problemIn(held, 'approval-pending')
        await gateway.vote('dana', await gateway.approval(task.id))
        await check(path, await gateway.agent(path, request(method)))
        expect(arrivals(path), method).toBe(arrives ? 1 : 0)
        const expected = outcomeOf(method)
        await expect
          .poll(() => gateway.approval(task.id))
          .toMatchObject({ state: expected['result'], outcome: expected })
        const named = { ...request(method), headers: { 'sallyport-approval': task.id } }
        await problemIn(gateway.agent(path, named), 'approval-used')
        expect(arrivals(path), method).toBe(arrives ? 1 : 0)
      }),
    )
  })
})

it('an upstream that cannot prove who it is never gets the credential', () => {
  expect(selfSigned.arrived).toEqual([])
})
